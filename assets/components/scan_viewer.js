// The scan viewer: tools, keys and read-out around the panes. Nothing is sent back to the server's session.

const LAYOUTS = [['axial', 'Axial', '1'], ['coronal', 'Coronal', '2'], ['sagittal', 'Sagittal', '3'],
  ['all', 'All planes', '4'], ['solid', '3-D', '5']];
const MOST_PANES = 3;
const KEYS = [['1 2 3', 'axial, coronal, sagittal'], ['4', 'all planes'], ['5', '3-D'],
  ['↑ ↓', 'next slice towards the head or front, or back (Page keys: five)'], ['w', 'next window'],
  ['p', 'next phase'], ['m', 'masks on or off'], ['a', 'attribution on or off'], ['[ ]', 'threshold lower, higher'],
  ['+ −', 'zoom'], ['n', 'patient’s right on the left or on the right'], ['0', 'reset the view'],
  ['?', 'this list'],
  ['mouse', 'left: crosshair · wheel: slices · right: window · middle or shift: move']];

const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

class ScanView {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.id = data.id;
    this.memory = `prognoscope-hanging:${data.phases.map((p) => p.label).sort().join('|')}`;
    this.state = this._start();
    this._tools();
    this.stage = make('div', 'stage');
    this.foot = make('div', 'foot');
    this.told = make('p', 'told');
    this.told.setAttribute('role', 'status');
    this._keyList();
    this.root.replaceChildren(this.bar, this.stage, this.foot, this.told, this.keys);
    this.flat = !document.createElement('canvas').getContext('webgl2');
    this.panes = this.flat ? new PicturePanes(this.stage, this) : new VolumePanes(this.stage, this);
    this.root.classList.toggle('flat', this.flat);
    this._foot();
    this.onKey = (event) => this._key(event);
    this.root.addEventListener('keydown', this.onKey, true);
    this.root.addEventListener('keyup', (e) => { if (e.target.tagName === 'CANVAS') e.stopPropagation(); }, true);
    this.change({});
  }

  // what the reader chose last for scans of the same phases; it names no patient
  _start() {
    const state = { layout: 'all', shown: [this.data.first], preset: 'Auto', masks: {}, map: 0, mapOn: true,
      mapOpacity: 0.7, threshold: 0.1, radiological: true };
    for (const mask of this.data.masks) state.masks[mask.label] = mask.label === 'region' ? 0 : 0.15;
    try {
      const kept = JSON.parse(localStorage.getItem(this.memory) ?? '{}');
      if (LAYOUTS.some(([name]) => name === kept.layout)) state.layout = kept.layout;
      if (typeof kept.preset === 'string') state.preset = kept.preset;
      if (typeof kept.radiological === 'boolean') state.radiological = kept.radiological;
      const shown = (kept.shown ?? []).map((label) => this.data.phases.findIndex((p) => p.label === label));
      if (shown.length && shown.every((i) => i >= 0)) state.shown = [...new Set(shown)].slice(0, MOST_PANES);
    } catch { /* a browser without storage begins anew */ }
    return state;
  }

  _remember() {
    const { layout, preset, radiological, shown } = this.state;
    const kept = { layout, preset, radiological, shown: shown.map((i) => this.data.phases[i].label) };
    try { localStorage.setItem(this.memory, JSON.stringify(kept)); } catch { /* not kept, then */ }
  }

  renew(data) {
    this.data.token = data.token;
    const maps = JSON.stringify(data.maps);
    if (maps !== JSON.stringify(this.data.maps)) {
      this.data.maps = data.maps;
      this._tools();
      this.root.replaceChild(this.bar, this.root.firstChild);
      this.change({});
    }
  }

  change(changes) {
    Object.assign(this.state, changes);
    this._remember();
    this._mark();
    this.told.textContent = '';
    this.root.dataset.ready = '';
    return this.panes.show({ ...this.state, masks: { ...this.state.masks } });
  }

  // ---- the tools above the panes

  _tools() {
    this.bar = make('div', 'tools');
    this.marks = [];
    const layouts = this._group('Layout');
    for (const [name, words, key] of LAYOUTS) {
      this._button(layouts, words, () => this.change({ layout: name }), () => this.state.layout === name, `key ${key}`,
        () => name === 'solid' && this.flat);
    }
    if (this.data.phases.length > 1) {
      const phases = this._group('Phases');
      this.data.phases.forEach((phase, i) => this._button(phases, phase.label, () => this._toggle(i),
        () => this.state.shown.includes(i), `shown or not, up to ${MOST_PANES} side by side`));
    }
    const windows = this._group('Window');
    this.presets = make('select');
    this.presets.setAttribute('aria-label', 'Window');
    const names = [...new Set(this.data.phases.flatMap((p) => p.windows.map((w) => w.name)))];
    this.presets.append(...names.map((name) => new Option(name, name)));
    this.presets.onchange = () => this.change({ preset: this.presets.value });
    this.levels = make('span', 'levels');
    windows.append(this.presets, this.levels);
    this._masks();
    const view = this._group('View');
    this._button(view, 'R on the left', () => this.change({ radiological: !this.state.radiological }),
      () => this.state.radiological, 'key n', () => this.flat);
    this._button(view, 'Reset', () => this.reset(), () => false, 'key 0');
    this._button(view, '?', () => this._help(), () => this.keys && !this.keys.hidden, 'keys');
    this._maps();
  }

  _group(words) {
    const group = make('div', 'group');
    group.append(make('span', 'name', words));
    this.bar.append(group);
    return group;
  }

  _button(group, words, act, on, title, off = () => false) {
    const button = make('button', '', words);
    button.type = 'button';
    button.title = title;
    button.onclick = act;
    this.marks.push(() => { button.setAttribute('aria-pressed', String(Boolean(on()))); button.disabled = off(); });
    group.append(button);
  }

  _slider(group, words, value, set) {
    const label = make('label', 'slider');
    const slider = make('input');
    Object.assign(slider, { type: 'range', min: 0, max: 1, step: 0.05, value });
    slider.setAttribute('aria-label', words);
    slider.oninput = () => set(Number(slider.value));
    label.append(make('span', '', words), slider);
    group.append(label);
    return slider;
  }

  _masks() {
    if (!this.data.masks.length) return;
    const group = this._group('Masks');
    this.maskSliders = this.data.masks.map((mask) => {
      const slider = this._slider(group, mask.label, this.state.masks[mask.label],
        (v) => this.change({ masks: { ...this.state.masks, [mask.label]: v } }));
      slider.style.accentColor = mask.colour;
      const swatch = make('i', 'swatch');
      swatch.style.background = mask.colour;
      slider.parentElement.prepend(swatch);
      return slider;
    });
  }

  _titles() { return [...new Set(this.data.maps.filter((m) => !m.absent).map((m) => m.title))]; }

  _maps() {
    const titles = this._titles();
    if (!titles.length) return;
    const group = this._group('Attribution');
    this._button(group, 'Show', () => this.change({ mapOn: !this.state.mapOn }), () => this.state.mapOn, 'key a');
    if (titles.length > 1) {
      const choice = make('select');
      choice.setAttribute('aria-label', 'Attribution map');
      choice.append(...titles.map((t, i) => new Option(t, i)));
      choice.value = this.state.map;
      choice.onchange = () => this.change({ map: Number(choice.value) });
      group.append(choice);
    }
    this._slider(group, 'opacity', this.state.mapOpacity, (v) => this.change({ mapOpacity: v }));
    this.thresholdSlider = this._slider(group, 'threshold', this.state.threshold, (v) => this.change({ threshold: v }));
    this.scale = make('div', 'scale');
    group.append(this.scale);
  }

  _mark() {
    for (const mark of this.marks) mark();
    const phase = this.data.phases[this.state.shown[0]];
    const window = this.windowOf(this.state, phase);
    this.presets.value = this.state.preset;
    this.windowed(window.low, window.high);
    this.maskSliders?.forEach((s, i) => { s.value = this.state.masks[this.data.masks[i].label]; });
    if (this.thresholdSlider) this.thresholdSlider.value = this.state.threshold;
    this._foot();
    this._scale(this.data.maps[this.mapOf(this.state, phase)]);
  }

  _scale(map) {
    if (!this.scale) return;
    this.scale.hidden = !map || !this.state.mapOn;
    if (!map) return;
    const { raises, lowers } = this.data.colours;
    const at = this.state.threshold;
    const number = (v) => Number(v.toPrecision(2)).toString();
    const low = make('span', '', map.signed ? `−${number(map.limit)}` : number(at * map.limit));
    const bar = make('span', 'colours');
    const half = 50 * at;
    bar.style.background = map.signed
      ? `linear-gradient(90deg, ${lowers}, ${lowers}40 ${50 - half}%, transparent ${50 - half}%, transparent ${50 + half}%, ${raises}40 ${50 + half}%, ${raises})`
      : `linear-gradient(90deg, transparent ${100 * at}%, ${raises}40 ${100 * at}%, ${raises})`;
    const words = map.signed ? `lowers ← ${map.unit} → raises` : map.unit;
    this.scale.replaceChildren(low, bar, make('span', '', `+${number(map.limit)}`), make('span', 'unit', words));
  }

  // ---- what panes ask

  windowOf(state, phase) {
    return phase.windows.find((w) => w.name === state.preset) ?? phase.windows[0];
  }

  mapOf(state, phase) {
    const title = this._titles()[state.map];
    return this.data.maps.findIndex((m) => !m.absent && m.title === title && (!m.phase || m.phase === phase.label));
  }

  paneElements(phase) {
    const figure = make('figure');
    const caption = make('figcaption');
    const value = make('span', 'value');
    caption.append(make('b', '', phase.label), value);
    const canvas = make('canvas');
    canvas.setAttribute('aria-label', `Scan, ${phase.label}`);
    const holder = make('div', 'holder');
    holder.append(canvas);
    figure.append(caption, holder);
    return { figure, canvas, value };
  }

  located(pane, where) {
    const image = where.values[0];
    const found = [image ? `value ${Number(image.value.toPrecision(4))}${pane.phase.units ? ` ${pane.phase.units}` : ''}` : ''];
    for (const value of where.values.slice(1)) {
      if (value.name.startsWith('mask ') && value.value > 0.5) found.push(value.name.slice(5).replace('.nii.gz', ''));
      if (value.name.startsWith('attribution') && this.state.mapOn) found.push(`attribution ${Number(value.value.toPrecision(2))}`.replace('-', '−'));
    }
    pane.value.textContent = found.join(' · ');
    this.placed([...where.mm].slice(0, 3));
  }

  placed(mm) {
    this.root.dataset.mm = mm.map((v) => v.toFixed(2)).join(',');
    const words = [['R', 'L'], ['A', 'P'], ['S', 'I']].map(([plus, minus], i) =>
      `${mm[i] >= 0 ? plus : minus} ${Math.abs(mm[i]).toFixed(1)}`);
    this.where.textContent = `${words.join(' · ')} mm`;
  }

  windowed(low, high) { this.levels.textContent = `${Math.round(low)} to ${Math.round(high)}`; }

  drawn() { this.root.dataset.ready = '1'; }

  fail(reason) { this.told.textContent = `The scan cannot be shown: ${reason}`; this.root.dataset.ready = 'failed'; }

  _foot() {
    this.where ??= make('span', 'where', '');
    const side = this.flat || this.state.radiological
      ? 'Radiological: the patient’s right is on the left of the screen'
      : 'Neurological: the patient’s right is on the right of the screen';
    const parts = [this.where, make('span', 'side', side)];
    if (this.flat) parts.push(make('span', 'side', 'This browser draws no volumes (no WebGL 2): single slices are shown'));
    this.foot.replaceChildren(...parts);
  }

  // ---- what the reader does

  _toggle(i) {
    const shown = this.state.shown.includes(i) ? this.state.shown.filter((n) => n !== i) : [...this.state.shown, i];
    if (shown.length) this.change({ shown: shown.slice(-MOST_PANES).sort((a, b) => a - b) });
  }

  reset() { this.change({ preset: 'Auto' }).then(() => this.panes.reset()); }

  _help() { this.keys.hidden = !this.keys.hidden; this._mark(); }

  _keyList() {
    this.keys = make('dl', 'keys');
    this.keys.hidden = true;
    for (const [key, words] of KEYS) this.keys.append(make('dt', '', key), make('dd', '', words));
  }

  _step(steps) {
    const axis = { axial: 2, coronal: 1, sagittal: 0 }[this.state.layout] ?? 2;
    this.panes.move(axis, steps);
  }

  _key(event) {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const typing = ['INPUT', 'SELECT'].includes(event.target.tagName) && /^(Arrow|Page|.$)/.test(event.key);
    if (!plain || typing) return;
    const acts = {
      ArrowUp: () => this._step(1), ArrowDown: () => this._step(-1),
      PageUp: () => this._step(5), PageDown: () => this._step(-5),
      w: () => this._nextWindow(), p: () => this._nextPhase(), m: () => this._masksOnOff(),
      a: () => this.change({ mapOn: !this.state.mapOn }),
      '[': () => this.change({ threshold: Math.max(0, this.state.threshold - 0.05) }),
      ']': () => this.change({ threshold: Math.min(0.95, this.state.threshold + 0.05) }),
      '+': () => this.panes.zoom(1.25), '=': () => this.panes.zoom(1.25), '-': () => this.panes.zoom(0.8),
      n: () => this.change({ radiological: !this.state.radiological }), 0: () => this.reset(), '?': () => this._help(),
    };
    for (const [layout, , key] of LAYOUTS) acts[key] = () => this.change({ layout });
    if (acts[event.key]) {
      acts[event.key]();
      event.preventDefault();
      event.stopPropagation();
    } else if (event.target.tagName === 'CANVAS' && !['r', 'c', 'Escape', 'Tab'].includes(event.key)) {
      event.stopPropagation(); // the library's own keys are not ours
    }
  }

  _nextWindow() {
    const names = this.data.phases[this.state.shown[0]].windows.map((w) => w.name);
    this.change({ preset: names[(names.indexOf(this.state.preset) + 1) % names.length] });
  }

  _nextPhase() {
    const next = (this.state.shown[this.state.shown.length - 1] + 1) % this.data.phases.length;
    this.change({ shown: [next] });
  }

  _masksOnOff() {
    const on = Object.values(this.state.masks).some((v) => v > 0);
    this.hiddenMasks = on ? { ...this.state.masks } : this.hiddenMasks;
    this.change({ masks: on ? Object.fromEntries(Object.keys(this.state.masks).map((k) => [k, 0])) : this.hiddenMasks });
  }

  close() { this.root.removeEventListener('keydown', this.onKey, true); this.panes.close(); this.root.replaceChildren(); }
}

const views = new WeakMap();

export default function scanViewer({ data, parentElement }) {
  const root = parentElement.querySelector('.scan-viewer');
  let view = views.get(parentElement);
  if (view && (view.id !== data.id || view.root !== root)) { view.close(); view = undefined; }
  if (view) view.renew(data);
  else views.set(parentElement, new ScanView(root, data));
  return () => { views.get(parentElement)?.close(); views.delete(parentElement); };
}
