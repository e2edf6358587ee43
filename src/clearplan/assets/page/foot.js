var foot = document.getElementById("foot");
var first = element("p");
if (about.tier) { first.appendChild(element("strong", about.tier + " ")); }
if (about.illustrative) { first.appendChild(element("strong", about.illustrative + " ")); }
first.appendChild(element("strong", about.not_for_entry + " "));
first.appendChild(document.createTextNode(about.boundaries));
foot.appendChild(first);
if (about.line_note) { foot.appendChild(element("p", about.line_note + ".")); }
foot.appendChild(element("p", "As at " + about.as_at + ". CRS: " + about.crs + ". Fingerprint " + about.fingerprint + "."));
if (about.sources.length) { foot.appendChild(element("p", "Sources: " + about.sources.join("; "))); }

map.invalidateSize();
if (extent.isValid()) { map.fitBounds(extent, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
placeLabels();
