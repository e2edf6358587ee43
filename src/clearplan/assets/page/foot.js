var foot = document.getElementById("foot");
var first = element("p");
if (about.illustrative) { first.appendChild(element("strong", say(about.illustrative) + " ")); }
first.appendChild(element("strong", say(about.not_for_entry) + " "));
first.appendChild(said(about.boundaries));
foot.appendChild(first);
if (about.line_note) { foot.appendChild(element("p", say(about.line_note) + ".")); }
foot.appendChild(element("p", say("As at {day}. CRS: {crs}. Fingerprint {fingerprint}.", { day: say(about.as_at), crs: about.crs, fingerprint: about.fingerprint })));
if (about.sources.length) { foot.appendChild(tell("p", say("Sources: {sources}"), { sources: said(about.sources.join("; ")) })); }

map.invalidateSize();
if (extent.isValid()) { map.fitBounds(extent, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
placeLabels();
