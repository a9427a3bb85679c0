/** Grey values of the pictures that a strip holds below each other: one Uint8Array of size * size for each. */
async function readStrip(url, size, count) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  return Array.from({length: count}, (_, index) => {
    context.drawImage(image, 0, -index * size);
    const colours = context.getImageData(0, 0, size, size).data;
    return Uint8Array.from({length: size * size}, (_, pixel) => colours[4 * pixel]);
  });
}
