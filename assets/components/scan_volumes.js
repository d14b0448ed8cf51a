// Panes drawn by NiiVue: one canvas a phase, crosshairs and zoom linked.

const SLICE = { axial: 0, coronal: 1, sagittal: 2, all: 3, solid: 4 };

// left, top, width, height of each plane: one scan beside its solid; of several, the planes alone
const ALONE = [[0, 0, 0, 0.495, 0.995], [1, 0.505, 0, 0.242, 0.49], [2, 0.757, 0, 0.242, 0.49], [4, 0.505, 0.5, 0.495, 0.495]]
  .map(([sliceType, ...position]) => ({ sliceType, position }));
const SIDE_BY_SIDE = [[0, 0, 0, 1, 0.535], [1, 0, 0.545, 0.49, 0.45], [2, 0.51, 0.545, 0.49, 0.45]]
  .map(([sliceType, ...position]) => ({ sliceType, position }));

let library = null;
function loadNiivue(address) {
  library ??= new Promise((done, failed) => {
    if (window.niivue) { done(window.niivue); return; }
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => (window.niivue ? done(window.niivue) : failed(new Error('the viewer library is empty')));
    script.onerror = () => { library = null; failed(new Error('the viewer library could not be loaded')); };
    document.head.appendChild(script);
  });
  return library;
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// two-colour table: nothing at and below the lowest value, then from faint to full
function ramp(hex, faint) {
  const [r, g, b] = rgb(hex);
  return { R: [r, r, r], G: [g, g, g], B: [b, b, b], A: [0, faint, 255], I: [0, 1, 255] };
}

class VolumePanes {
  constructor(host, view) {
    this.host = host;
    this.view = view;
    this.panes = [];
    this.files = new Map();
  }

  // one at a time; of what is asked for meanwhile the last alone is drawn
  show(state) {
    this.next = state;
    this.busy ??= this._work();
    return this.busy;
  }

  async _work() {
    try {
      while (this.next && !this.closed) {
        const state = this.next;
        this.next = null;
        await this._show(state);
      }
      this.view.drawn();
    } catch (error) {
      this.next = null;
      this.view.fail(error.message);
    } finally {
      this.busy = null;
    }
  }

  async _show(state) {
    const lib = await loadNiivue(this.view.data.library);
    const wanted = state.shown.join(',');
    if (wanted !== this.built) {
      try {
        await this._build(lib, state);
        this.built = wanted;
      } catch (error) {
        this._drop();
        this.built = '';
        throw error;
      }
    }
    for (const pane of this.panes) this._dress(pane, state);
    this._link();
    for (const pane of this.panes) await this._dressOverlays(lib, pane, state);
  }

  async _build(lib, state) {
    const kept = this.panes[0] ? this.place() : null;
    this._drop();
    for (const number of state.shown) {
      const phase = this.view.data.phases[number];
      const { figure, canvas, value } = this.view.paneElements(phase);
      this.host.appendChild(figure);
      const nv = new lib.Niivue({
        backColor: [0, 0, 0, 1], crosshairColor: [1, 0.85, 0.2, 0.9], crosshairWidth: 0.3, crosshairWidthUnit: 'percent',
        fontSizeScaling: 0.55, fontMinPx: 13, fontColor: [1, 1, 1, 1], showAllOrientationMarkers: true, show3Dcrosshair: true, isColorbar: false, logLevel: 'error',
        loadingText: 'loading', dragAndDropEnabled: false, isOrientationTextVisible: true, sagittalNoseLeft: true,
        scrollRequiresFocus: true, clipPlaneHotKey: '', cycleClipPlaneHotKey: '', viewModeHotKey: '',
        multiplanarPadPixels: 4, yoke3Dto2DZoom: true,
        isForceMouseClickToVoxelCenters: false,
        mouseEventConfig: {
          leftButton: { primary: lib.DRAG_MODE.crosshair, withShift: lib.DRAG_MODE.pan, withCtrl: lib.DRAG_MODE.pan },
          rightButton: lib.DRAG_MODE.windowing, centerButton: lib.DRAG_MODE.pan,
        },
      });
      const { raises, lowers } = this.view.data.colours;
      nv.addColormap('prog-raises', ramp(raises, 60));
      nv.addColormap('prog-lowers', ramp(lowers, 60));
      this.view.data.masks.forEach((m, i) => nv.addColormap(`prog-mask-${i}`, ramp(m.colour, 255)));
      // the wheel belongs to the page until the viewer was clicked; a double click changes no window
      figure.addEventListener('wheel', (e) => { if (!canvas.matches(':focus')) e.stopPropagation(); }, true);
      figure.addEventListener('dblclick', (e) => e.stopPropagation(), true);
      await nv.attachToCanvas(canvas, false);
      nv.addVolume(await this._image(lib, phase.url, 'gray', phase.label));
      const pane = { nv, phase, number, value, canvas, masks: [], map: null, mapNumber: -1 };
      this.panes.push(pane);
      nv.onLocationChange = (where) => this.view.located(pane, where);
      nv.onIntensityChange = () => this.view.windowed(pane.nv.volumes[0].cal_min, pane.nv.volumes[0].cal_max);
    }
    for (const pane of this.panes) {
      pane.nv.broadcastTo(this.panes.filter((p) => p !== pane).map((p) => p.nv),
        { '2d': true, '3d': true, crosshair: true, zoomPan: true });
    }
    if (kept) this._put(kept);
    else if (this.view.data.start) this._put({ mm: this.view.data.start, zoom: [0, 0, 0, 1] });
  }

  async _image(lib, url, colormap, name) {
    const buffer = await this._file(url);
    return lib.NVImage.loadFromUrl({ url, buffer: buffer.slice(0), name: `${name}.nii.gz`, colormap,
      colorbarVisible: false });
  }

  _file(url) {
    if (!this.files.has(url)) {
      const answer = fetch(`${url}?t=${encodeURIComponent(this.view.data.token)}`).then(async (found) => {
        if (found.ok) return found.arrayBuffer();
        const told = await found.json().catch(() => ({ error: 'the scan could not be fetched', fix: 'open the page again' }));
        throw new Error(`${told.error} – ${told.fix}`);
      });
      answer.catch(() => this.files.delete(url));
      this.files.set(url, answer);
    }
    return this.files.get(url);
  }

  async _overlay(lib, pane, state) {
    for (const [i, mask] of this.view.data.masks.entries()) {
      if (state.masks[mask.label] > 0 && !pane.masks[i]) {
        const image = await this._image(lib, mask.url, `prog-mask-${i}`, `mask ${mask.label}`);
        Object.assign(image, { cal_min: 0.5, cal_max: 1 });
        pane.masks[i] = image;
        pane.nv.addVolume(image);
      }
    }
    const number = this.view.mapOf(state, pane.phase);
    if (number !== pane.mapNumber) {
      if (pane.map) pane.nv.removeVolume(pane.map);
      pane.map = null;
      pane.mapNumber = number;
      if (number >= 0) {
        pane.map = await this._image(lib, this.view.data.maps[number].url, 'prog-raises', 'attribution');
        pane.map.colormapNegative = this.view.data.maps[number].signed ? 'prog-lowers' : '';
        pane.nv.addVolume(pane.map);
      }
    }
  }

  async _dressOverlays(lib, pane, state) {
    await this._overlay(lib, pane, state);
    const nv = pane.nv;
    this.view.data.masks.forEach((mask, i) => { if (pane.masks[i]) pane.masks[i].opacity = state.masks[mask.label]; });
    if (pane.map) {
      const limit = this.view.data.maps[pane.mapNumber].limit;
      const low = Math.min(state.threshold, 0.999) * limit;
      Object.assign(pane.map, { cal_min: low, cal_max: limit, cal_minNeg: -limit, cal_maxNeg: -low,
        opacity: state.mapOn ? state.mapOpacity : 0 });
    }
    nv.updateGLVolume();
    nv.createOnLocationChange(); // the read-out names the masks that came just now
  }

  _dress(pane, state) {
    const nv = pane.nv;
    const window = this.view.windowOf(state, pane.phase);
    nv.volumes[0].cal_min = window.low;
    nv.volumes[0].cal_max = window.high;
    nv.opts.isRadiologicalConvention = state.radiological;
    const layout = state.shown.length === 1 ? ALONE : SIDE_BY_SIDE;
    if (state.layout === 'all') nv.setCustomLayout(layout); else nv.clearCustomLayout();
    nv.setSliceType(SLICE[state.layout]);
    nv.updateGLVolume();
  }

  _link() {
    const [first] = this.panes;
    if (first) this._put({ mm: this.place().mm, zoom: [...first.nv.scene.pan2Dxyzmm] });
  }

  place() {
    const nv = this.panes[0].nv;
    return { mm: [...nv.frac2mm(nv.scene.crosshairPos)].slice(0, 3), zoom: [...nv.scene.pan2Dxyzmm] };
  }

  _put({ mm, zoom }) {
    for (const { nv } of this.panes) {
      nv.scene.crosshairPos = nv.mm2frac(mm);
      nv.scene.pan2Dxyzmm = zoom;
      nv.drawScene();
      nv.createOnLocationChange();
    }
  }

  // axis 0, 1, 2 = towards right, front, head
  move(axis, steps) {
    if (!this.panes[0]) return;
    const { mm, zoom } = this.place();
    mm[axis] += steps * this.panes[0].phase.spacing[axis];
    const [low, high] = this.panes[0].phase.bounds;
    mm[axis] = Math.min(high[axis], Math.max(low[axis], mm[axis]));
    this._put({ mm, zoom });
  }

  zoom(factor) {
    if (!this.panes[0]) return;
    const { mm, zoom } = this.place();
    const next = Math.min(12, Math.max(0.5, zoom[3] * factor));
    // the point under the crosshair stays where it is
    for (let i = 0; i < 3; i += 1) zoom[i] += (zoom[3] - next) * mm[i];
    zoom[3] = next;
    this._put({ mm, zoom: next === 1 ? [0, 0, 0, 1] : zoom });
    for (const { nv } of this.panes) nv.setScale(Math.min(4, Math.max(0.5, nv.volScaleMultiplier * factor)));
  }

  reset() {
    const start = this.view.data.start ?? this.place().mm;
    for (const { nv } of this.panes) { nv.setScale(1); nv.setRenderAzimuthElevation(110, 10); }
    this._put({ mm: start, zoom: [0, 0, 0, 1] });
  }

  _drop() {
    for (const { nv, canvas } of this.panes) {
      nv.cleanup();
      canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
    }
    this.panes = [];
    this.host.replaceChildren();
  }

  close() { this.closed = true; this._drop(); this.files.clear(); }
}
