// Paper cannot be clicked at: everything is opened for it, and closed again.
const opened = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    opened.push(part);
  }
});
addEventListener("afterprint", () => opened.splice(0).forEach(part => { part.open = false; }));
