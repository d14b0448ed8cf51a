// What a page's look needs of the browser: which of the two palettes the reader has chosen, and figures that the keys
// reach. Streamlit tells the server of a change of palette one run late; this asks for the run that is missing.

const FIGURES = '[data-testid="stPlotlyChart"]';
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
      const label = `${button.innerText.split('\n')[0].trim()}: ${words}`;
      if (words && button.getAttribute('aria-label') !== label) button.setAttribute('aria-label', label);
    }
  }
};

const tools = (figure) => {
  const block = figure.closest('[class*="st-key-figure_"]');
  return block ? [...block.querySelectorAll('[data-testid="stPopoverButton"]')] : [];
};

export default function pageLook({ data, setTriggerValue }) {
  let waiting = 0;
  const soon = () => { waiting ||= requestAnimationFrame(() => { waiting = 0; reachable(); }); };
  const watch = new MutationObserver(soon);
  watch.observe(document.body, { childList: true, subtree: true });
  const ask = () => askIfOther(data.scheme, (scheme) => setTriggerValue('scheme', scheme));
  const later = setTimeout(ask, 150); // the run may come before the palette is on the screen
  soon();
  return () => { watch.disconnect(); cancelAnimationFrame(waiting); clearTimeout(later); };
}
