// What the viewer shows, and how it is drawn. Whoever changes its settings calls change().
const DEFAULTS = {window: 256, level: 128, share: 0.5, blend: false, circle: true, hole: true, whole: false, spreads: true};
const ZOOMED_MM = 64;  // three healthy aortas

class SliceView extends EventTarget {
  /** Grey values of all slices; anomaly is null without anomaly maps. */
  constructor(data, acquired, expected, anomaly) {
    super();
    Object.assign(this, {data, acquired, expected, anomaly, state: {...DEFAULTS, index: data.start}});
    this.range = differenceRange(acquired, expected);
    this.canvases = Object.fromEntries(
      ["acquired", "expected", "difference", "blend"].map(kind => [kind, document.getElementById(`picture-${kind}`)]));
    const resized = new ResizeObserver(() => this.draw());
    for (const canvas of Object.values(this.canvases)) resized.observe(canvas);
  }

  /** Whether differences are shown in spreads, and not in grey values. */
  get inSpreads() { return this.anomaly !== null && this.state.spreads; }

  get slice() { return this.data.slices[this.state.index]; }

  /** Take new settings and show them. */
  change(settings) {
    Object.assign(this.state, settings);
    this.state.index = Math.min(this.data.slices.length - 1, Math.max(0, this.state.index));
    this.draw();
    this.dispatchEvent(new Event("change"));
  }

  /** Show the slice nearest to a height. */
  goTo(mm) {
    const distances = this.data.slices.map(slice => Math.abs(slice.mm - mm));
    this.change({index: distances.indexOf(Math.min(...distances))});
  }

  /** The square of the picture that is shown: upper left corner and side, in pixels from the picture's edge. */
  get shown() {
    const {size, pixelMm} = this.data;
    if (this.state.whole) return {left: 0, top: 0, side: size};
    const side = Math.min(size, ZOOMED_MM / pixelMm);
    const {hole, centre} = this.slice;  // the hole lies on the predicted course, so that a displaced vessel shows
    const middle = hole ? [hole[0] + hole[2] / 2, hole[1] + hole[3] / 2] : centre ? centre.map(place => place + 0.5) : [size / 2, size / 2];
    const [left, top] = middle.map(place => Math.min(size - side, Math.max(0, place - side / 2)));
    return {left, top, side};
  }

  /** Column and row of a place in a canvas, as fractions of its side; pixels' centres have whole numbers. */
  pixelAt(x, y) {
    const {left, top, side} = this.shown;
    return [left + x * side - 0.5, top + y * side - 0.5];
  }

  draw() {
    const {acquired, expected, data, state} = this;
    const one = acquired[state.index], other = expected[state.index];
    this.paint("acquired", () => greyPixels(one, data.size, state));
    this.paint("expected", () => greyPixels(other, data.size, state));
    this.paint("difference", () => this.inSpreads
      ? anomalyPixels(this.anomaly[state.index], data.size, data.colours)
      : differencePixels(one, other, data.size, this.range, data.colours));
    this.paint("blend", () => greyPixels(blended(Float32Array.from(one), other, state.share), data.size, state));
  }

  paint(kind, pixels) {
    const canvas = this.canvases[kind], width = canvas.clientWidth, dots = window.devicePixelRatio || 1;
    if (!width) return;  // hidden
    canvas.width = canvas.height = Math.round(width * dots);
    const context = canvas.getContext("2d"), {left, top, side} = this.shown, scale = width / side;
    const source = new OffscreenCanvas(this.data.size, this.data.size);
    source.getContext("2d").putImageData(pixels(), 0, 0);
    context.scale(dots, dots);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, left, top, side, side, 0, 0, width, width);
    const toScreen = {x: column => (column + 0.5 - left) * scale, y: row => (row + 0.5 - top) * scale};
    if (this.state.hole) drawHole(context, this.slice, toScreen, scale);
    if (this.state.circle) drawCircle(context, this.slice, toScreen, scale);
    drawFrame(context, width, scale / this.data.pixelMm);
    drawCaption(context, width, [this.data.subject, `slice ${this.slice.slice}`, `${this.slice.mm.toFixed(1)} mm`], kind);
  }
}
