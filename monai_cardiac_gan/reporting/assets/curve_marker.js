// The current slice in the diameter curve, and a click in the curve that goes to that height.
function connectCurve(view) {
  for (const curve of document.querySelectorAll("svg.curve[data-first-mm]")) {
    const [left, right, first, last] = ["left", "right", "firstMm", "lastMm"].map(name => Number(curve.dataset[name]));
    const marker = curve.querySelector(".marker");
    const show = () => {
      const x = left + ((view.slice.mm - first) / (last - first)) * (right - left);
      marker.setAttribute("transform", `translate(${x} 0)`);
      marker.setAttribute("visibility", x < left || x > right ? "hidden" : "visible");
    };
    curve.classList.add("clickable");
    curve.addEventListener("click", event => {
      const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(curve.getScreenCTM().inverse()).x;
      view.goTo(first + ((x - left) / (right - left)) * (last - first));
    });
    view.addEventListener("change", show);
    show();
  }
}
