// From grey values to the pixels of a picture.

/** Fill a picture with a colour for each pixel: colourOf(pixel) gives [red, green, blue]. */
function coloured(size, colourOf) {
  const picture = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) picture.data.set([...colourOf(pixel), 255], 4 * pixel);
  return picture;
}

/** Grey values through a window of a width around a level. */
function greyPixels(values, size, {window, level}) {
  return coloured(size, pixel => {
    const grey = 255 * ((values[pixel] - level) / window + 0.5);
    return [grey, grey, grey];
  });
}

/** Acquired and expected mixed: share 0 is acquired, 1 expected. */
const blended = (acquired, expected, share) => acquired.map((value, pixel) => value + share * (expected[pixel] - value));

/** Acquired less expected in the colours of a diverging map that ends at -range and range. */
function differencePixels(acquired, expected, size, range, colours) {
  const last = colours.length - 1;
  return coloured(size, pixel => {
    const share = (acquired[pixel] - expected[pixel]) / range / 2 + 0.5;
    return colours[Math.round(last * Math.min(1, Math.max(0, share)))];
  });
}

/** An anomaly map, 128 where nothing differs, in the same colours. */
function anomalyPixels(values, size, colours) {
  const last = colours.length - 1;
  return coloured(size, pixel => colours[Math.round(last * values[pixel] / 255)]);
}

const OUTLIERS = 0.98, LEAST_RANGE = 16;

/** Where the colours of the difference end: nearly all that differs anywhere along the vessel lies within. */
function differenceRange(acquired, expected) {
  const counts = new Uint32Array(256);
  acquired.forEach((values, index) => values.forEach((value, pixel) => counts[Math.abs(value - expected[index][pixel])]++));
  counts[0] = 0;  // outside what was painted nothing differs
  const wanted = OUTLIERS * counts.reduce((sum, count) => sum + count, 0);
  let range = 0;
  for (let seen = 0; range < 255 && seen < wanted; range++) seen += counts[range + 1];
  return Math.max(LEAST_RANGE, range);
}
