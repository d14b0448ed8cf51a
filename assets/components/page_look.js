// What a page's look needs of the browser: which of the two palettes the reader has chosen, figures that the keys reach,
// and tabs that keep the focus. Streamlit tells the server of a change of palette one run late; this asks for the run
// that is missing.

const FIGURES = '[data-testid="stPlotlyChart"]';
const FRAMES = 30;
let asked = '';

const askIfOther = (told, ask) => {
  const app = document.querySelector('.stApp');
  const shown = app ? getComputedStyle(app).colorScheme : told;
  if (!['light', 'dark'].includes(shown)) return;
  if (shown === told) { asked = ''; return; }
  if (asked !== shown) { asked = shown; ask(shown); }
};

// one stop of the tab key a figure, before its two buttons, which say whose they are
const reachable = () => {
  for (const figure of document.querySelectorAll(`${FIGURES}:not([tabindex])`)) {
    figure.setAttribute('tabindex', '0');
    figure.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.target === figure) { tools(figure)[0]?.click(); event.preventDefault(); }
    });
  }
  for (const figure of document.querySelectorAll(FIGURES)) {
    const words = figure.getAttribute('aria-label');
    for (const button of tools(figure)) {
      if (!words || button.getAttribute('aria-label')?.endsWith(`: ${words}`)) continue;
      button.setAttribute('aria-label', `${button.innerText.split('\n')[0].trim()}: ${words}`);
    }
  }
};

const tools = (figure) => {
  const block = figure.closest('[class*="st-key-figure_"]');
  return block ? [...block.querySelectorAll('[data-testid="stPopoverButton"]')] : [];
};

// While a page is drawn anew a tab is for a moment nothing that can be focused, and the browser takes the focus away:
// the open tab of that list gets it back, if nobody has put it elsewhere meanwhile.
const givenBack = (list, frames) => {
  if (!list.isConnected || !document.hasFocus() || document.activeElement !== document.body) return;
  list.querySelector('[role=tab][aria-selected=true]')?.focus();
  if (frames) requestAnimationFrame(() => givenBack(list, frames - 1));
};

const keepingFocus = () => {
  let byKeys = false;
  const keys = () => { byKeys = true; };
  const pointer = () => { byKeys = false; };
  const lost = ({ target, relatedTarget }) => {
    const list = target.closest?.('[role=tab]')?.closest('[role=tablist]');
    if (byKeys && list && !relatedTarget) requestAnimationFrame(() => givenBack(list, FRAMES));
  };
  const told = [['keydown', keys], ['pointerdown', pointer], ['focusout', lost]];
  for (const [name, act] of told) document.addEventListener(name, act, true);
  return () => { for (const [name, act] of told) document.removeEventListener(name, act, true); };
};

export default function pageLook({ data, setTriggerValue }) {
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; reachable(); }); };
  const watch = new MutationObserver(soon);
  watch.observe(document.body, { childList: true, subtree: true });
  const ask = () => askIfOther(data.scheme, (scheme) => setTriggerValue('scheme', scheme));
  const later = setTimeout(ask, 150); // the run may come before the palette is on the screen
  const release = keepingFocus();
  soon();
  return () => { release(); watch.disconnect(); cancelAnimationFrame(waiting); clearTimeout(later); };
}
