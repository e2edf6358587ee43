// --- on paper: the map fills the page, its legend and disclaimers follow it, then the lists ------------------------

// The map is laid out anew for a width of 700 px (class paper); print.css makes it as wide as the sheet.
var onScreen = null;

// Chromium prints a canvas by the strokes made since it was last shown, wiping included, and that would wipe the map below
// it: the tasks are drawn on a fresh one, which also prints as lines, not as dots.
function freshCanvas() {
  var own = canvas._container, pen = canvas._ctx, bounds = canvas._bounds;
  if (!own || !pen || !bounds) { return null; }
  var fresh = own.cloneNode(false);
  canvas._ctx = fresh.getContext("2d");
  canvas._ctx.setTransform(pen.getTransform());
  canvas._redrawBounds = null;
  canvas._draw();
  canvas._ctx = pen;
  own.after(fresh);
  own.style.visibility = "hidden";
  return fresh;
}

function toPaper() {
  if (onScreen) { return; }
  var legend_ = document.getElementById("legend"), foot_ = document.getElementById("foot"), folds = [];
  document.querySelectorAll("#panel details:not(.numbers), #legend").forEach(function (one) {
    folds.push([one, one.open]);
    one.open = true;
  });
  onScreen = { bounds: map.getBounds(), centre: map.getCenter(), zoom: map.getZoom(), folds: folds, holder: legend_.parentNode };
  document.getElementById("print-legend").append(legend_, foot_);
  document.body.classList.add("paper");
  map.invalidateSize({ pan: false, animate: false });
  // Across an A4 the map is 30 px lower (print.css): what was in view stays above.
  map.fitBounds(onScreen.bounds, { paddingBottomRight: [0, 30], animate: false });
  placeLabels();
  onScreen.canvas = freshCanvas();
}

function toScreen() {
  if (!onScreen) { return; }
  var own = onScreen;
  onScreen = null;
  document.body.classList.remove("paper");
  if (own.canvas) {
    own.canvas.remove();
    canvas._container.style.visibility = "";
  }
  own.holder.appendChild(document.getElementById("legend"));
  document.getElementById("panel").after(document.getElementById("foot"));
  own.folds.forEach(function (one) { one[0].open = one[1]; });
  map.invalidateSize({ pan: false, animate: false });
  map.setView(own.centre, own.zoom, { animate: false });
  placeLabels();
}

window.addEventListener("beforeprint", toPaper);
window.addEventListener("afterprint", toScreen);
