// The slide viewer: tools, keys, one or two views in step, layers and patches. Nothing it does calls Python, except to
// ask for fresh addresses before the old ones expire.

const KEYS = [
  ['arrows', 'move'], ['+ −', 'zoom in, out'], ['0', 'whole slide'], ['1 … 5', '2x, 5x, 10x, 20x, 40x'],
  ['6', 'one slide pixel a screen pixel'], ['7', 'twice that'], ['[ ]', 'rotate'], ['h', 'maps and annotations on or off'],
  ['l', 'labels of annotations'], ['d', 'one or two views'], ['n', 'next layer alone'], ['?', 'this list'],
  ['mouse', 'drag: move · wheel: zoom · click: choose a patch'],
];
const PAUSE = 20000;

const loadOpenSeadragon = (address) => {
  globalThis.__prognoscopeSeadragon ??= new Promise((done, failed) => {
    if (window.OpenSeadragon) { done(); return; }
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => done();
    script.onerror = () => { globalThis.__prognoscopeSeadragon = undefined; failed(new Error('library')); };
    document.head.append(script);
  });
  return globalThis.__prognoscopeSeadragon;
};

// what the reader saw last of each slide, for when the viewer comes back (another tab of the page, another slide)
const seen = (globalThis.__prognoscopeSlides ??= new Map());

class SlideView {
  constructor(root, data, renew) {
    Object.assign(this, { root, data, askRenewal: renew, panes: [], active: 0, images: new Map(), values: new Map() });
    this.state = seen.get(data.id) ?? { chosen: [{}, {}], two: false, hidden: false, labels: true, where: null };
    this.pinned = null;
    this.got = Date.now();
    this._build();
    loadOpenSeadragon(data.library).then(
      () => { if (!this.ended) this._panes(); },
      () => this.tell('The viewer’s library is not installed: start the application once with ./run app while the '
        + 'network is there, or run npm ci in the folder assets.'),
    );
    this.timer = setInterval(() => this._renewInTime(), PAUSE);
  }

  _build() {
    this.bar = element('div', 'sv-tools');
    this.told = element('p', 'sv-told');
    this.told.setAttribute('role', 'alert');
    this.stage = element('div', 'sv-stage');
    this.readout = element('p', 'sv-readout');
    this.facts = element('p', 'sv-facts');
    this.layers = new LayerPanel(this);
    this.patch = new PatchPanel(this);
    this.strip = new Strip(this);
    const side = element('aside', 'sv-side');
    side.append(this.layers.box, this.patch.box);
    const middle = element('div', 'sv-middle');
    middle.append(this.stage, side);
    this.keys = this._keyList();
    this.root.replaceChildren(this.bar, this.keys, this.told, middle, this.readout, this.facts, this.strip.box);
    this.onKey = (event) => this._key(event);
    this.onUse = () => { this.touched = true; this.used = Date.now(); this._renewInTime(); };
    this.root.addEventListener('keydown', this.onKey, true);
    this.root.addEventListener('pointerdown', this.onUse, true);
    this._tools();
    this._show();
  }

  // ---------------------------------------------------------------- data from Python

  update(data) {
    const expired = data.token !== this.data.token && this.failed;
    if (data.token !== this.data.token) { this.got = Date.now(); this.failed = false; this.tell(''); }
    const maps = (d) => `${d.maps?.address} ${d.maps?.made}`;
    if (maps(data) !== maps(this.data)) { this.values.clear(); this.index = null; this.strip.made = ''; this.pinned = null; }
    const kept = new Set(data.layers.map((layer) => layer.picture));
    for (const address of this.images.keys()) if (!kept.has(address)) this.images.delete(address);
    this.data = data;
    for (const pane of this.panes) {
      pane.renew(data.token);
      if (expired) pane.reload();
    }
    this._show();
  }

  refused() {
    this.failed = true;
    if (Date.now() - this.got > PAUSE) { this.tell('The addresses of the tiles have expired: asking for new ones …'); this._renew(); }
    else this.tell('Parts of the slide could not be loaded.');
  }

  _renewInTime() {
    const age = (Date.now() - this.got) / 1000;
    const inUse = Date.now() - (this.used ?? this.got) < this.data.renewAfter * 1000;
    if (age > this.data.renewAfter && inUse && document.visibilityState === 'visible') this._renew();
  }

  _renew() {
    if (Date.now() - (this.asked ?? 0) < PAUSE) return;
    this.asked = Date.now();
    this.askRenewal();
  }

  async _read(address) {
    const answer = await fetch(`${address}?t=${this.data.maps.token}`);
    if (!answer.ok) { this.refused(); throw new Error('refused'); }
    return answer.json();
  }

  // ---------------------------------------------------------------- layers

  chosen(pane, key) {
    const mine = this.state.chosen[pane];
    if (!this.data.layers.some((layer) => layer.key in mine)) this._first(pane);
    return mine[key] ?? { on: false, opacity: 0.75 };
  }

  // one layer to begin with: the first, in the second view the first relevance
  _first(pane) {
    const present = this.data.layers.filter((layer) => !layer.absent);
    const first = (pane ? present.find((layer) => layer.relevance) : null) ?? present[0];
    if (first) this.state.chosen[pane][first.key] = { on: true, opacity: 0.75 };
  }

  choose(key, change, anew = true) {
    const now = this.chosen(this.active, key);
    this.state.chosen[this.active][key] = { ...now, ...change };
    if (anew) this._show(); else this._redraw();
  }

  shownLayers(pane) {
    return this.data.layers
      .filter((layer) => !layer.absent)
      .map((layer) => ({ layer, ...this.chosen(pane, layer.key) }))
      .filter((item) => item.on);
  }

  imageOf({ layer }) {
    if (!this.images.has(layer.picture)) {
      const image = new Image();
      this.images.set(layer.picture, image);
      image.onload = () => { image.done = true; this._redraw(); };
      image.onerror = () => { this.images.delete(layer.picture); this.refused(); };
      image.src = `${layer.picture}&t=${this.data.maps.token}`;
    }
    const image = this.images.get(layer.picture);
    return image.done ? image : null;
  }

  activate(pane) { this.active = pane; this._show(); }

  _next() {
    const present = this.data.layers.filter((layer) => !layer.absent);
    if (!present.length) return;
    const on = this.shownLayers(this.active)[0]?.layer.key;
    const next = present[(present.findIndex((layer) => layer.key === on) + 1) % present.length];
    for (const layer of present) {
      const was = this.chosen(this.active, layer.key);
      this.state.chosen[this.active][layer.key] = { ...was, on: layer === next };
    }
    this._show();
  }

  // ---------------------------------------------------------------- patches

  async patches() {
    this.index ??= this._read(`${this.data.maps.address}/patches.json`).then((found) => new PatchIndex(found));
    try { return await this.index; } catch (error) { this.index = null; throw error; }
  }

  async valuesOf(layer) {
    if (!this.values.has(layer.key)) {
      const found = await this._read(`${this.data.maps.address}/${encodeURIComponent(layer.key)}.json`);
      this.values.set(layer.key, found.values);
    }
    return this.values.get(layer.key);
  }

  patchAddress(x, y, side) {
    return `${this.data.address}/patch/${Math.round(x)}_${Math.round(y)}_${Math.round(side)}.jpeg?t=${this.data.token}`;
  }

  placeText({ x, y }) {
    const px = `x ${Math.round(x).toLocaleString('en')}, y ${Math.round(y).toLocaleString('en')} px`;
    const { mpp } = this.data;
    return mpp === null ? px : `${px} (${((x * mpp) / 1000).toFixed(2)}, ${((y * mpp) / 1000).toFixed(2)} mm)`;
  }

  async pin(place) {
    if (!place || !this.data.maps) return;
    const index = await this.patches().catch(() => null);
    if (!index) return;
    const number = index.at(place.x, place.y);
    await this._pinned(number < 0 ? { number, x: place.x, y: place.y } : this._patch(index, number));
  }

  async fly(number) {
    const index = await this.patches().catch(() => null);
    if (!index) return;
    const patch = this._patch(index, number);
    this.leader.flyTo(patch.x, patch.y, patch.side);
    await this._pinned(patch);
  }

  _patch(index, number) { return { number, x: index.x[number], y: index.y[number], side: index.side }; }

  async _pinned(patch) {
    this.pinned = patch;
    this.patch.show(patch, this.values);
    this._redraw();
    const present = this.data.layers.filter((layer) => !layer.absent);
    await Promise.all(present.map((layer) => this.valuesOf(layer))).catch(() => null);
    if (this.pinned === patch) this.patch.show(patch, this.values);
  }

  async hover(pane, x, y) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const place = pane?.toSlide(x, y);
    const { width, height } = this.data;
    if (!place || place.x < 0 || place.y < 0 || place.x >= width || place.y >= height) { this._read_out(''); return; }
    let text = this.placeText(place);
    const first = this.shownLayers(pane.number)[0]?.layer;
    if (first && !this.state.hidden) {
      try {
        const [index, values] = [await this.patches(), await this.valuesOf(first)];
        if (turn !== this.turn) return;
        const number = index.at(place.x, place.y);
        text += ` · ${first.title}: ${number < 0 ? 'no patch here' : this._valueText(first, values[number])}`;
      } catch { return; }
    }
    this._read_out(text);
  }

  _valueText(layer, value) {
    const text = numberText(value, layer.signed);
    if (value === null) return text;
    const rank = layer.scale.shown === 'percentile' ? `, ${ordinal(placeOf(value, layer.scale))} percentile` : '';
    return `${text} (${layer.unit}${rank})`;
  }

  _read_out(text) { this.readout.textContent = text || 'Point at the slide to read a value.'; }

  // ---------------------------------------------------------------- views

  get leader() { return this.panes.includes(this._leader) ? this._leader : this.panes[0]; }

  lead(pane) { this._leader = pane; }

  _panes() {
    const wanted = this.state.two ? 2 : 1;
    const where = this.panes[0]?.where ?? this.state.where;
    while (this.panes.length > wanted) this.panes.pop().end();
    while (this.panes.length < wanted) {
      const pane = new SlidePane(this, this.panes.length);
      this.panes.push(pane);
      this.stage.append(pane.box);
      pane.start(where);
    }
    this.stage.classList.toggle('two', wanted === 2);
    this._leader = this.panes[0];
    this._show();
  }

  opened(pane) {
    if (pane !== this.panes[0] && this.panes[0].where) pane.go(this.panes[0].where);
    if (this.panes.every((p) => p.item)) this.root.dataset.ready = String(this.panes.length);
    this._show();
  }

  // the other view follows the one in the reader's hand, in the same frame
  moved(pane) {
    if (pane !== this.leader || !pane.visible) return;
    const { where } = pane;
    this.state.where = where;
    for (const other of this.panes) if (other !== pane) other.go(where);
    this._zoomText();
  }

  _zoomText() {
    const { magnification } = this.data;
    const { zoom } = this.leader;
    this.zoomed.textContent = magnification === null ? `${(zoom * 100).toFixed(0)} % of the slide’s pixels`
      : `${Number((zoom * magnification).toPrecision(2))}x`;
  }

  magnify(times) { if (this.leader?.item) this.leader.zoomTo(times / this.data.magnification); }

  _rotate(degrees) { this.leader?.osd.viewport.rotateBy(degrees); }

  toggle(name) {
    this.state[name] = !this.state[name];
    if (name === 'two') { this.active = 0; this.root.dataset.ready = ''; if (window.OpenSeadragon) this._panes(); }
    if (name === 'two' && this.panes.every((p) => p.item)) this.root.dataset.ready = String(this.panes.length);
    this._show();
  }

  // ---------------------------------------------------------------- tools and keys

  _tools() {
    const button = (text, label, act) => {
      const made = element('button', '', text);
      made.type = 'button';
      made.title = label;
      if (!/[a-z]/i.test(text)) made.setAttribute('aria-label', label); // a sign needs words; words are their own name
      made.addEventListener('click', act);
      this.bar.append(made);
      return made;
    };
    const gap = () => this.bar.append(element('span', 'sv-gap'));
    button('Fit', 'Whole slide (0)', () => this.leader?.osd.viewport.goHome());
    MAGNIFICATIONS.forEach((times, i) => {
      const { magnification } = this.data;
      const made = button(`${times}x`, `${times}x (${i + 1})`, () => this.magnify(times));
      // a little beyond the scanner's own is rounding of the pixel size; more would show nothing new
      made.disabled = magnification === null || times > magnification * 1.1;
      if (made.disabled) made.title = magnification === null ? 'The file states no pixel size' : 'More than the slide was scanned with';
    });
    this.zoomed = element('span', 'sv-zoomed');
    this.bar.append(this.zoomed);
    gap();
    button('⟲', 'Rotate left ([)', () => this._rotate(-90));
    button('⟳', 'Rotate right (])', () => this._rotate(90));
    gap();
    this.twoButton = button('Two views', 'Two views in step (d)', () => this.toggle('two'));
    this.hideButton = button('Hide maps', 'Maps and annotations on or off (h)', () => this.toggle('hidden'));
    gap();
    button('Keys ?', 'List of keys (?)', () => this._toggleKeys());
  }

  _keyList() {
    const list = element('dl', 'sv-keys');
    list.hidden = true;
    for (const [key, words] of KEYS) list.append(element('dt', '', key), element('dd', '', words));
    return list;
  }

  _toggleKeys() { this.keys.hidden = !this.keys.hidden; }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, textarea, select')) return;
    this.touched = true;
    this.used = Date.now();
    const act = this._action(event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.leader?.item || event.key === '?') act();
  }

  _action(key) {
    const pan = (x, y) => () => {
      const { viewport } = this.leader.osd;
      const size = viewport.getContainerSize();
      viewport.panBy(viewport.deltaPointsFromPixels(new window.OpenSeadragon.Point(x * size.x, y * size.y)));
      viewport.applyConstraints();
    };
    const zoom = (times) => () => { this.leader.osd.viewport.zoomBy(times); this.leader.osd.viewport.applyConstraints(); };
    const magnification = MAGNIFICATIONS[Number(key) - 1];
    if (magnification) {
      return this.data.magnification !== null && magnification <= this.data.magnification * 1.1 ? () => this.magnify(magnification) : () => {};
    }
    return {
      ArrowLeft: pan(-0.15, 0), ArrowRight: pan(0.15, 0), ArrowUp: pan(0, -0.15), ArrowDown: pan(0, 0.15),
      '+': zoom(1.4), '=': zoom(1.4), '-': zoom(1 / 1.4), '−': zoom(1 / 1.4),
      0: () => this.leader.osd.viewport.goHome(), 6: () => this.leader.zoomTo(1), 7: () => this.leader.zoomTo(2),
      '[': () => this._rotate(-90), ']': () => this._rotate(90),
      h: () => this.toggle('hidden'), l: () => this.toggle('labels'), d: () => this.toggle('two'), n: () => this._next(),
      '?': () => this._toggleKeys(),
    }[key.length === 1 ? key.toLowerCase() : key];
  }

  // ---------------------------------------------------------------- drawing

  tell(text) { this.told.textContent = text; }

  _show() {
    const { data, state } = this;
    seen.set(data.id, state);
    this.twoButton.classList.toggle('on', state.two);
    this.twoButton.setAttribute('aria-pressed', String(state.two));
    this.hideButton.textContent = state.hidden ? 'Show maps' : 'Hide maps';
    this.layers.show();
    const size = data.mpp === null ? 'pixel size unknown (µm/px not stated in the file)'
      : `${Number(data.mpp.toPrecision(4))} µm/px, ${data.mppSource}`;
    this.facts.textContent = `${data.width.toLocaleString('en')} × ${data.height.toLocaleString('en')} px · ${size} · ${data.colours}`;
    this.facts.classList.toggle('warn', !data.mppStated);
    if (!this.readout.textContent) this._read_out('');
    for (const pane of this.panes) { pane.showLegends(); pane.redraw(); }
    this.patch.show(this.pinned, this.values);
    this._showStrip();
  }

  async _showStrip() {
    const layer = this.shownLayers(this.active)[0]?.layer;
    if (!layer) { this.strip.show(null); return; }
    try {
      const [index, values] = [await this.patches(), await this.valuesOf(layer)];
      if (!this.ended && this.shownLayers(this.active)[0]?.layer.key === layer.key) this.strip.show(layer, index, values);
    } catch { this.strip.show(null); }
  }

  _redraw() { for (const pane of this.panes) pane.redraw(); }

  end() {
    this.ended = true;
    clearInterval(this.timer);
    this.root.removeEventListener('keydown', this.onKey, true);
    this.root.removeEventListener('pointerdown', this.onUse, true);
    for (const pane of this.panes) pane.end();
    this.root.replaceChildren();
  }
}

const views = new WeakMap(); // mount point → its view: this function runs at every rerun of the page

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.slide-viewer');
  let view = views.get(parentElement);
  if (!view || view.data.id !== data.id) {
    view?.end();
    view = new SlideView(root, data, () => setTriggerValue('renew', Date.now()));
    root.slideView = view;
    views.set(parentElement, view);
  } else {
    view.askRenewal = () => setTriggerValue('renew', Date.now());
    view.update(data);
  }
  return () => { views.get(parentElement)?.end(); views.delete(parentElement); };
}
