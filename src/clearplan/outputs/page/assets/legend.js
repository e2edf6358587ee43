// Swatches are our own fixed drawings, never text from data.
layers.slice().reverse().forEach(function (entry) {
  if (!entry.swatch) { return; }
  var item = element("li");
  item.innerHTML = '<svg width="28" height="18" aria-hidden="true">' + entry.swatch + "</svg>";
  // plan {
  if (entry.ranks || entry.name.indexOf("Places of return") === 0) { item.className = "ranks"; }
  // } plan
  item.appendChild(spoken("span", entry.name));
  document.querySelector("#legend ul").appendChild(item);
});
["survey", "clearance"].forEach(function (queue) {
  var item = element("li");
  // plan {
  item.className = "ranks";
  // } plan
  item.appendChild(element("span", "1", "number " + queue));
  item.appendChild(spoken("span", queue === "survey" ? term("Rank in the survey queue; heavier lines come earlier")
    : term("Rank in the clearance queue; heavier lines come earlier")));
  document.querySelector("#legend ul").appendChild(item);
});
var legend = document.getElementById("legend");
legend.open = !window.matchMedia("(max-width: 1000px)").matches; // beside the panel it would hide half the map
var corner = L.control({ position: "bottomleft" });
corner.onAdd = function () {
  L.DomEvent.disableClickPropagation(legend).disableScrollPropagation(legend);
  return legend;
};
corner.addTo(map);
