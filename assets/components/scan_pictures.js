// Panes of single slices drawn by the server: for browsers that cannot draw volumes.

const PLANES = { axial: 2, coronal: 1, sagittal: 0 };

class PicturePanes {
  constructor(host, view) {
    this.host = host;
    this.view = view;
    this.mm = [...(view.data.start ?? [0, 0, 0])];
  }

  async show(state) {
    this.state = state;
    const planes = state.layout in PLANES ? [state.layout] : Object.keys(PLANES);
    const images = [];
    for (const number of state.shown) {
      const phase = this.view.data.phases[number];
      for (const plane of planes) {
        const figure = document.createElement('figure');
        const caption = document.createElement('figcaption');
        caption.textContent = `${phase.label} · ${plane}`;
        const image = document.createElement('img');
        image.alt = `${plane} slice of the ${phase.label} scan`;
        image.src = this._address(phase, plane, state);
        image.onerror = () => this.view.fail('a slice could not be fetched – reload the page');
        figure.append(caption, image, this._slider(phase, plane));
        images.push(figure);
      }
    }
    this.host.replaceChildren(...images);
    this.view.placed(this.mm);
    this.view.drawn();
  }

  _slider(phase, plane) {
    const axis = PLANES[plane];
    const slider = document.createElement('input');
    const [low, high] = phase.bounds.map((b) => b[axis]);
    Object.assign(slider, { type: 'range', min: low, max: high, step: phase.spacing[axis], value: this.mm[axis] });
    slider.setAttribute('aria-label', `place of the ${plane} slice, ${phase.label}`);
    slider.onchange = () => { this.mm[axis] = Number(slider.value); this.show(this.state); };
    return slider;
  }

  _address(phase, plane, state) {
    const window = this.view.windowOf(state, phase);
    const query = new URLSearchParams({ at: this.mm[PLANES[plane]].toFixed(2), low: window.low, high: window.high });
    if (Object.values(state.masks).some((opacity) => opacity > 0)) query.set('outlines', '1');
    const number = state.mapOn ? this.view.mapOf(state, phase) : -1;
    if (number >= 0) {
      const map = this.view.data.maps[number];
      for (const [key, value] of Object.entries({ run: map.run, layer: map.layer, limit: map.limit,
        threshold: state.threshold * map.limit, opacity: state.mapOpacity })) query.set(key, value);
    }
    query.set('t', this.view.data.token);
    return `${phase.slices[plane]}?${query}`;
  }

  move(axis, steps) {
    const phase = this.view.data.phases[this.state.shown[0]];
    const next = this.mm[axis] + steps * phase.spacing[axis];
    this.mm[axis] = Math.min(phase.bounds[1][axis], Math.max(phase.bounds[0][axis], next));
    this.show(this.state);
  }

  zoom() {}

  reset() { this.mm = [...(this.view.data.start ?? [0, 0, 0])]; this.show(this.state); }

  close() { this.host.replaceChildren(); }
}
