// One view of the slide: OpenSeadragon below, and a canvas above it on which maps, areas and the chosen patch are drawn
// with the transform of the very frame that OpenSeadragon has drawn.

const ROOM = 70;

class SlidePane {
  constructor(view, number) {
    this.view = view;
    this.number = number;
    this.box = element('div', 'sv-pane');
    this.picture = element('div', 'sv-picture');
    this.legends = element('div', 'sv-legends');
    this.scale = element('div', 'sv-scale');
    this.bar = element('div', 'sv-bar');
    this.barText = element('div', 'sv-bar-text');
    this.scale.append(this.barText, this.bar);
    this.box.append(this.picture, this.legends, this.scale);
  }

  // needs the box to be in the page: OpenSeadragon measures it
  start(where) {
    this.first = where;
    const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const { data } = this.view;
    this.osd = window.OpenSeadragon({
      element: this.picture, tileSources: `${data.address}.dzi?t=${data.token}`, drawer: 'canvas',
      showNavigationControl: false, showNavigator: this.number === 0, navigatorPosition: 'BOTTOM_RIGHT',
      navigatorAutoFade: false,
      navigatorSizeRatio: 0.17, maxZoomPixelRatio: 8, minZoomImageRatio: 0.2, visibilityRatio: 0.4, blendTime: 0,
      animationTime: calm ? 0 : 0.35, springStiffness: 9, imageLoaderLimit: 6, maxImageCacheCount: 300,
      gestureSettingsMouse: { clickToZoom: false }, gestureSettingsTouch: { pinchRotate: false },
    });
    this.canvas = element('canvas', 'sv-overlay');
    this.osd.canvas.append(this.canvas);
    this.osd.addHandler('open', () => {
      this.begin();
      this.item.addHandler('fully-loaded-change', (e) => { this.box.dataset.loaded = e.fullyLoaded ? '1' : ''; });
      this.view.opened(this);
    });
    // the page may still be finding its layout: until the reader has moved, the view begins anew at every size
    this.osd.addHandler('resize', () => requestAnimationFrame(() => { if (!this.view.touched) this.begin(); }));
    this.osd.addHandler('open-failed', () => this.view.refused());
    this.osd.addHandler('tile-load-failed', () => this.view.refused());
    this.osd.addHandler('update-viewport', () => { this.draw(); this.view.moved(this); });
    this.osd.addHandler('canvas-key', (e) => { e.preventDefaultAction = true; });
    this.osd.addHandler('canvas-click', (e) => {
      if (e.quick) this.view.pin(this.toSlide(e.position.x, e.position.y));
    });
    this.picture.addEventListener('pointermove', (e) => {
      const edge = this.picture.getBoundingClientRect();
      this.view.hover(this, e.clientX - edge.left, e.clientY - edge.top);
    });
    this.picture.addEventListener('pointerleave', () => this.view.hover(null));
    this.picture.addEventListener('wheel', () => { this.view.touched = true; }, { capture: true, passive: true });
    for (const kind of ['pointerdown', 'wheel', 'pointerenter']) {
      this.picture.addEventListener(kind, () => this.view.lead(this), { capture: true, passive: true });
    }
  }

  get item() { return this.osd?.world.getItemAt(0); }

  // a view that is being taken out of the page has no size to speak of
  get visible() { return this.picture.isConnected && this.picture.clientWidth > 20; }

  // screen px of a level-0 point in the frame drawn last
  toScreen(x, y) { return this.osd.viewport.pixelFromPoint(this.item.imageToViewportCoordinates(x, y, true), true); }

  toSlide(x, y) { return this.item?.viewerElementToImageCoordinates(new window.OpenSeadragon.Point(x, y)); }

  // screen px per level-0 px
  get zoom() { return this.item.viewportToImageZoom(this.osd.viewport.getZoom(true)); }

  zoomTo(zoom) {
    this.osd.viewport.zoomTo(this.item.imageToViewportZoom(zoom));
    this.osd.viewport.applyConstraints();
  }

  // what is looked at, whatever the size of the view: the middle, screen px per level-0 px, degrees
  get where() {
    if (!this.item) return null;
    const { viewport } = this.osd;
    const { x, y } = viewport.getCenter(true);
    return { x, y, zoom: this.zoom, rotation: viewport.getRotation(true) };
  }

  begin() {
    if (!this.item) return;
    if (this.first) this.go(this.first); else this.osd.viewport.goHome(true);
  }

  go({ x, y, zoom, rotation }) {
    const now = this.where;
    if (!now) return;
    const same = (a, b) => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a));
    if (same(now.x, x) && same(now.y, y) && same(now.zoom, zoom) && same(now.rotation, rotation)) return;
    const { viewport } = this.osd;
    viewport.setRotation(rotation, true);
    viewport.zoomTo(this.item.imageToViewportZoom(zoom), null, true);
    viewport.panTo(new window.OpenSeadragon.Point(x, y), true);
  }

  flyTo(x, y, side) {
    const { OpenSeadragon } = window;
    const room = this.item.imageToViewportRectangle(new OpenSeadragon.Rect(x - 2 * side, y - 2 * side, 5 * side, 5 * side));
    this.osd.viewport.fitBounds(room);
  }

  renew(token) {
    const source = this.item?.source;
    if (source) source.queryParams = `?t=${token}`;
  }

  reload() { this.item?.reset(); this.osd?.forceRedraw(); }

  redraw() { this.osd?.forceRedraw(); }

  draw() {
    if (!this.item || !this.canvas) return;
    const ratio = window.devicePixelRatio || 1;
    const size = this.osd.viewport.getContainerSize();
    const width = Math.round(size.x * ratio);
    const height = Math.round(size.y * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    this._drawMaps(context, ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!this.view.state.hidden) this._drawAreas(context);
    this._drawPinned(context);
    this._drawScale();
  }

  _drawMaps(context, ratio) {
    const { data, state } = this.view;
    if (state.hidden || !data.maps) return;
    const origin = this.toScreen(0, 0);
    const right = this.toScreen(data.width, 0);
    const down = this.toScreen(0, data.height);
    context.setTransform(
      (ratio * (right.x - origin.x)) / data.width, (ratio * (right.y - origin.y)) / data.width,
      (ratio * (down.x - origin.x)) / data.height, (ratio * (down.y - origin.y)) / data.height,
      ratio * origin.x, ratio * origin.y,
    );
    // cells smaller than a screen pixel are averaged, larger ones keep their edges
    context.imageSmoothingEnabled = data.maps.cell * this.zoom * ratio < 1;
    for (const layer of this.view.shownLayers(this.number)) {
      const image = this.view.imageOf(layer);
      if (!image) continue;
      context.globalAlpha = layer.opacity;
      context.drawImage(image, ...data.maps.rectangle);
    }
    context.globalAlpha = 1;
  }

  _drawAreas(context) {
    for (const area of this.view.data.areas) {
      context.strokeStyle = `rgb(${area.colour.join(',')})`;
      context.lineWidth = 2;
      context.beginPath();
      let highest = null;
      let [left, right] = [Infinity, -Infinity];
      for (const ring of area.polygons.flat()) {
        ring.forEach(([x, y], i) => {
          const at = this.toScreen(x, y);
          if (i) context.lineTo(at.x, at.y); else context.moveTo(at.x, at.y);
          if (!highest || at.y < highest.y) highest = at;
          left = Math.min(left, at.x);
          right = Math.max(right, at.x);
        });
      }
      context.stroke();
      // a name needs room: of small areas it is read nearer by
      if (this.view.state.labels && area.name && right - left > ROOM) this._label(context, area.name, highest);
    }
  }

  _label(context, text, at) {
    context.font = '600 12px system-ui, sans-serif';
    const shown = text.length > 40 ? `${text.slice(0, 39)}…` : text;
    const { width } = context.measureText(shown);
    context.fillStyle = 'rgba(255,255,255,.88)';
    context.fillRect(at.x - 3, at.y - 19, width + 6, 17);
    context.fillStyle = '#17282B';
    context.fillText(shown, at.x, at.y - 6);
  }

  _drawPinned(context) {
    const pinned = this.view.pinned;
    if (!pinned?.side) return;
    const { x, y, side } = pinned;
    const corners = [[x, y], [x + side, y], [x + side, y + side], [x, y + side]].map(([a, b]) => this.toScreen(a, b));
    for (const [colour, line] of [['#fff', 5], ['#17282B', 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.beginPath();
      corners.forEach((at, i) => (i ? context.lineTo(at.x, at.y) : context.moveTo(at.x, at.y)));
      context.closePath();
      context.stroke();
    }
  }

  _drawScale() {
    const { data } = this.view;
    if (data.mpp === null) {
      this.barText.textContent = 'no scale: the file states no pixel size';
      this.scale.classList.add('warn');
      this.bar.hidden = true;
      return;
    }
    const { px, text } = barFor(data.mpp, this.zoom);
    this.bar.style.width = `${px}px`;
    this.barText.textContent = data.mppStated ? text : `${text} (pixel size ${data.mppSource})`;
    this.scale.classList.toggle('warn', !data.mppStated);
  }

  showLegends() {
    const { maps } = this.view.data;
    const cards = this.view.shownLayers(this.number).map(({ layer }) => {
      const card = element('div', 'sv-legend');
      const { legend } = layer;
      card.append(element('b', '', legend.what));
      const ramp = element('div', 'sv-ramp');
      ramp.style.backgroundImage = `linear-gradient(to right, ${legend.stops.join(',')})`;
      const ends = element('div', 'sv-ends');
      ends.append(element('span', '', legend.low), element('span', '', legend.middle), element('span', '', legend.high));
      card.append(ramp, ends, element('div', 'sv-how', `${legend.how}. Unit: ${legend.unit}.`));
      if (maps.error > 1) {
        card.append(element('div', 'sv-how warn', `Edges are drawn to within ${Math.ceil(maps.error)} px of the slide.`));
      }
      return card;
    });
    this.legends.replaceChildren(...(this.view.state.hidden ? [] : cards));
  }

  end() {
    this.osd?.destroy();
    this.osd = null;
    this.box.remove();
  }
}
