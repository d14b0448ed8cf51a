// A report's text with its sentences as buttons. Everything is set as text: what a report holds is never markup.

const PARTS = { liver: 'liver', tumour: 'tumour', both: 'liver, tumour', other: 'other' };

function sentence(piece, evidence, chosen, choose) {
  const button = document.createElement('span');
  button.className = `sentence ${evidence.part in PARTS ? evidence.part : 'other'}`;
  button.setAttribute('role', 'button');
  button.tabIndex = 0;
  button.setAttribute('aria-pressed', String(piece.sentence === chosen));
  button.dataset.sentence = piece.sentence;
  const label = document.createElement('span');
  label.className = 'part';
  label.textContent = PARTS[evidence.part] ?? evidence.part;
  const words = document.createElement('span');
  words.className = 'words';
  words.textContent = piece.text;
  button.append(label, ' ', words); // its name is what is seen: the part, then the sentence
  if (evidence.weight !== null) {
    const bar = document.createElement('span');
    bar.className = 'weight';
    bar.title = `weight ${(100 * evidence.weight).toFixed(0)} %`;
    const fill = document.createElement('span');
    fill.style.width = `${Math.max(2, Math.min(100, 100 * evidence.relative)).toFixed(1)}%`;
    bar.append(fill);
    button.append(bar);
  }
  button.setAttribute('aria-description', evidence.said);
  const pick = () => choose(piece.sentence);
  button.addEventListener('click', pick);
  button.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pick(); }
  });
  return button;
}

export default function reportText({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector('.report-text');
  const focused = root.getRootNode().activeElement?.dataset?.sentence;
  const parts = data.reports.map((report) => {
    const box = document.createElement('section');
    if (report.title) {
      const title = document.createElement('h4');
      title.textContent = report.title;
      box.append(title);
    }
    const text = document.createElement('div');
    text.className = 'text';
    for (const piece of report.pieces) {
      if (piece.sentence === null) text.append(document.createTextNode(piece.text));
      else text.append(sentence(piece, data.sentences[piece.sentence], data.chosen, (i) => setStateValue('chosen', i)));
    }
    box.append(text);
    return box;
  });
  root.replaceChildren(...parts);
  if (focused !== undefined) root.querySelector(`[data-sentence="${Number(focused)}"]`)?.focus();
}
