// Beside and below the slide: layers with their opacity, the chosen patch, and the strip of highest and lowest patches.

class LayerPanel {
  constructor(view) {
    this.view = view;
    this.box = element('section', 'sv-layers');
    this.box.setAttribute('aria-label', 'Layers');
  }

  show() {
    const { data, state } = this.view;
    const parts = [element('h4', '', 'Layers')];
    if (!data.layers.length) parts.push(element('p', 'sv-quiet', 'No maps of this slide yet.'));
    if (state.two && data.layers.length) parts.push(this._sides());
    for (const layer of data.layers) if (!layer.absent) parts.push(this._row(layer));
    const absent = data.layers.filter((layer) => layer.absent);
    if (absent.length) parts.push(this._absent(absent));
    this.box.replaceChildren(...parts);
  }

  // few are told at once, many (a model of thirty experts) behind one line
  _absent(layers) {
    const box = element('details');
    this.open ??= layers.length <= 3;
    box.open = this.open;
    box.addEventListener('toggle', () => { this.open = box.open; });
    const what = layers.every((layer) => layer.expert) ? 'expert' : 'layer';
    box.append(element('summary', '', `${layers.length} ${what}${layers.length > 1 ? 's' : ''} without a map: why`));
    for (const layer of layers) box.append(this._row(layer));
    return box;
  }

  _sides() {
    const group = element('div', 'sv-sides');
    ['Left view', 'Right view'].forEach((name, i) => {
      const button = element('button', this.view.active === i ? 'on' : '', name);
      button.type = 'button';
      button.setAttribute('aria-pressed', String(this.view.active === i));
      button.addEventListener('click', () => this.view.activate(i));
      group.append(button);
    });
    return group;
  }

  _row(layer) {
    const row = element('div', 'sv-layer');
    const label = element('label');
    const box = element('input');
    box.type = 'checkbox';
    box.disabled = Boolean(layer.absent);
    const chosen = this.view.chosen(this.view.active, layer.key);
    box.checked = chosen.on && !layer.absent;
    box.addEventListener('change', () => this.view.choose(layer.key, { on: box.checked }));
    label.append(box, element('span', '', layer.title));
    row.append(label);
    if (layer.absent) row.append(element('p', 'sv-quiet', `No map: ${layer.absent}.`.replace(/\.\.$/, '.')));
    else if (box.checked) row.append(this._opacity(layer, chosen));
    return row;
  }

  _opacity(layer, chosen) {
    const line = element('label', 'sv-opacity');
    const slider = element('input');
    Object.assign(slider, { type: 'range', min: '0', max: '1', step: '0.05', value: String(chosen.opacity) });
    slider.setAttribute('aria-label', `Opacity of ${layer.title}`);
    const number = element('span', '', `${Math.round(chosen.opacity * 100)} %`);
    slider.addEventListener('input', () => {
      number.textContent = `${Math.round(slider.value * 100)} %`;
      this.view.choose(layer.key, { opacity: Number(slider.value) }, false);
    });
    line.append(element('span', '', 'Opacity'), slider, number);
    return line;
  }
}

class PatchPanel {
  constructor(view) {
    this.view = view;
    this.box = element('section', 'sv-patch');
    this.box.setAttribute('aria-label', 'Chosen patch');
    this.box.setAttribute('aria-live', 'polite');
    this.show(null);
  }

  show(patch, values = new Map()) {
    const parts = [element('h4', '', 'Chosen patch')];
    if (!patch) parts.push(element('p', 'sv-quiet', 'Click the slide to choose a patch and read its values.'));
    else if (patch.number < 0) parts.push(element('p', 'sv-quiet', `${this.view.placeText(patch)}: no patch here.`));
    else parts.push(this._picture(patch), element('p', 'sv-quiet', this.view.placeText(patch)), this._table(patch, values));
    this.box.replaceChildren(...parts);
  }

  _picture(patch) {
    const image = element('img');
    image.src = this.view.patchAddress(patch.x, patch.y, patch.side);
    image.alt = `The patch at ${Math.round(patch.x)}, ${Math.round(patch.y)}`;
    return image;
  }

  _table(patch, values) {
    const table = element('table');
    const layers = this.view.data.layers.filter((layer) => !layer.absent);
    const ranked = layers.some((layer) => layer.scale.shown === 'percentile');
    table.append(this._cells('th', ['Layer', 'Value', ...(ranked ? ['Percentile'] : [])]));
    const sizes = layers.map((l) => (l.expert ? Math.abs(values.get(l.key)?.[patch.number] ?? 0) : 0));
    const strongest = Math.max(...sizes, 0);
    layers.forEach((layer, i) => {
      const value = values.get(layer.key)?.[patch.number];
      const rank = value === undefined || value === null ? '' : ordinal(placeOf(value, layer.scale));
      const shown = values.has(layer.key) ? numberText(value, layer.signed) : '…';
      const row = this._cells('td', [layer.title, shown, ...(ranked ? [rank] : [])]);
      row.children[1].title = layer.unit;
      if (strongest > 0 && sizes[i] === strongest) row.firstChild.append(element('span', 'sv-mark', 'strongest expert here'));
      table.append(row);
    });
    return table;
  }

  _cells(tag, texts) {
    const row = element('tr');
    texts.forEach((text, i) => row.append(element(tag, i ? 'sv-number' : '', text)));
    return row;
  }
}

class Strip {
  constructor(view) {
    this.view = view;
    this.box = element('section', 'sv-strip');
    this.made = '';
  }

  show(layer, patches, values) {
    const key = layer ? `${this.view.data.id}|${layer.key}|${layer.picture}` : '';
    if (key === this.made) return;
    this.made = key;
    if (!layer) { this.box.replaceChildren(); return; }
    const { top, bottom } = extremes(patches, values, this.view.data.strip);
    const rows = [[layer.signed ? 'Strongest +' : 'Highest', top], [layer.signed ? 'Strongest −' : 'Lowest', bottom]];
    this.box.replaceChildren(
      element('h4', '', `Patches at both ends: ${layer.title}`),
      ...rows.map(([name, numbers]) => this._row(name, numbers, layer, patches, values)),
    );
  }

  _row(name, numbers, layer, patches, values) {
    const row = element('div', 'sv-row');
    row.append(element('span', 'sv-end', name));
    numbers.forEach((i, rank) => {
      const button = element('button');
      button.type = 'button';
      const image = element('img');
      image.loading = 'lazy';
      image.src = this.view.patchAddress(patches.x[i], patches.y[i], patches.side);
      image.alt = '';
      const text = numberText(values[i], layer.signed);
      button.setAttribute('aria-label', `${name} ${rank + 1} of ${numbers.length}: ${text}. Fly there.`);
      button.title = `${text} ${layer.unit}`;
      button.append(image, element('span', '', text));
      button.addEventListener('click', () => this.view.fly(i));
      row.append(button);
    });
    return row;
  }
}
