// Numbers of the slide viewer: lengths, magnifications, places on a scale, which patch lies where.

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const MAGNIFICATIONS = [2, 5, 10, 20, 40];
const LONGEST_BAR = 150;

// The longest 1, 2 or 5 × 10^k µm that is at most LONGEST_BAR screen px; zoom is screen px per level-0 px.
function barFor(mpp, zoom) {
  const most = (LONGEST_BAR / zoom) * mpp;
  const power = 10 ** Math.floor(Math.log10(most));
  const um = [5, 2, 1].find((step) => step * power <= most * (1 + 1e-9)) * power;
  return { um, px: (um / mpp) * zoom, text: lengthText(um) };
}

function lengthText(um) {
  const short = (value) => String(Number(value.toPrecision(3)));
  if (um >= 1000) return `${short(um / 1000)} mm`;
  return um >= 1 ? `${short(um)} µm` : `${short(um * 1000)} nm`;
}

// Where a value lies between the anchors, 0 … 1 (of |value|); equal anchors are one value with many ranks.
function placeOf(value, scale) {
  const { anchors } = scale;
  const last = anchors.length - 1;
  const size = scale.signed ? Math.abs(value) : value;
  if (last < 1) return 0.5;
  let low = -1;
  let high = anchors.length;
  anchors.forEach((anchor, i) => { if (anchor <= size) low = i; });
  for (let i = last; i >= 0; i -= 1) if (anchors[i] >= size) high = i;
  if (low < 0) return high / last;
  if (high > last) return low / last;
  if (high <= low) return (high + low) / 2 / last;
  return (low + (size - anchors[low]) / (anchors[high] - anchors[low])) / last;
}

function numberText(value, signed) {
  if (value === null || value === undefined) return 'no value';
  const size = Math.abs(value);
  const text = size === 0 ? '0' : size >= 1e-4 && size < 1e6 ? String(Number(size.toPrecision(3))) : size.toExponential(1);
  return (value < 0 ? '−' : signed && value > 0 ? '+' : '') + text;
}

function ordinal(place) {
  const n = Math.round(place * 100);
  const ending = n % 100 >= 11 && n % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th';
  return `${n}${ending}`;
}

// Patches by place: each square of one side's width knows the patches that begin in it.
class PatchIndex {
  constructor({ x, y, side }) {
    Object.assign(this, { x, y, side, cells: new Map() });
    x.forEach((value, i) => {
      const key = this._key(value, y[i]);
      const cell = this.cells.get(key);
      if (cell) cell.push(i); else this.cells.set(key, [i]);
    });
  }

  _key(x, y) { return `${Math.floor(x / this.side)},${Math.floor(y / this.side)}`; }

  // number of the patch over a level-0 point, -1 where there is none; of overlapping ones the nearest middle
  at(x, y) {
    let best = -1;
    let nearest = Infinity;
    for (const dx of [0, this.side]) {
      for (const dy of [0, this.side]) {
        for (const i of this.cells.get(this._key(x - dx, y - dy)) ?? []) {
          const right = x - this.x[i];
          const down = y - this.y[i];
          if (right < 0 || down < 0 || right >= this.side || down >= this.side) continue;
          const distance = Math.hypot(right - this.side / 2, down - this.side / 2);
          if (distance < nearest) { nearest = distance; best = i; }
        }
      }
    }
    return best;
  }
}

// The k highest and k lowest patches that have a value: never the same twice, none upon another.
function extremes(patches, values, most) {
  const known = [];
  values.forEach((value, i) => { if (value !== null) known.push(i); });
  known.sort((a, b) => values[b] - values[a]);
  const { x, y, side } = patches;
  const pick = (numbers) => {
    const taken = [];
    for (const i of numbers) {
      if (taken.length === most) break;
      if (taken.every((j) => Math.abs(x[i] - x[j]) >= side || Math.abs(y[i] - y[j]) >= side)) taken.push(i);
    }
    return taken;
  };
  const half = Math.floor(known.length / 2);
  return { top: pick(known.slice(0, half)), bottom: pick(known.slice(known.length - half).reverse()) };
}
