// The corrections as a file, without a server.
document.getElementById("save-lines")?.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([document.getElementById("lines").value], {type: "text/csv"}));
  link.download = "corrections.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
