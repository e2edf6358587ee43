// --- controls ------------------------------------------------------------------------------------------------

map.attributionControl.setPrefix("Leaflet").addAttribution("clearplan");
L.control.scale({ imperial: false, maxWidth: 160 }).addTo(map);
var switches = L.control.layers(null, {}, { collapsed: true }).addTo(map);
onWords(function () {
  layers.forEach(function (entry) { if (entry.layer) { switches.removeLayer(entry.layer); } });
  layers.forEach(function (entry) { if (entry.layer) { switches.addOverlay(entry.layer, say(entry.name)); } });
  [[".leaflet-control-zoom-in", say("Zoom in")], [".leaflet-control-zoom-out", say("Zoom out")],
    [".leaflet-control-layers-toggle", say("Layers")]].forEach(function (own) {
    var button = map.getContainer().querySelector(own[0]);
    if (!button) { return; }
    button.title = own[1];
    button.setAttribute("aria-label", own[1]);
  });
});
map.on("popupopen", function (event) {
  var close = event.popup.getElement().querySelector(".leaflet-popup-close-button");
  if (close) { close.setAttribute("aria-label", say("Close popup")); }
});

var extent = L.latLngBounds([]);
data.tasks.forEach(function (task) { if (layerOf[task.id]) { extent.extend(layerOf[task.id].getBounds()); } });
if (pictured) {
  var frame = pictured.frame;
  extent.extend(map.unproject([frame[0], frame[1]], pictured.zoom)).extend(map.unproject([frame[0] + frame[2], frame[1] + frame[3]], pictured.zoom));
}
data.zones.forEach(function (zone) { extent.extend(parts(zone.shape)[0][0]); });
map.on("zoomend moveend overlayadd", placeLabels);

var wasNear = null;
function restyle() {
  map.getContainer().classList.toggle("close-by", map.getZoom() >= CLOSE);
  var near = map.getZoom() >= NEAR;
  if (near === wasNear) { return; }
  wasNear = near;
  map.getContainer().classList.toggle("near", near);
  restyleTasks();
}
map.on("zoomend", restyle);
restyle();
