var outlines = L.layerGroup([
  group(context.districts, still(svg.ground, { color: "#6b6b6b", weight: 0.8, dashArray: "4 3", fill: false })),
  group(context.countries, still(svg.ground, { color: "#444444", weight: 1.6, fill: false }))
]);
if (context.districts.length + context.countries.length) {
  add(term("Country and district outlines"), outlines,
    '<path d="M1 5H27" stroke="#444" stroke-width="1.6"/><path d="M1 13H27" stroke="#6b6b6b" stroke-dasharray="4 3"/>');
}
if (context.rivers.length + context.lakes.length) {
  add(term("Rivers and lakes"), L.layerGroup([
    group(context.lakes, still(svg.ground, { color: "#6f9fb8", weight: 0.6, fillColor: "#b9d5e3", fillOpacity: 1 })),
    group(context.rivers, still(svg.ground, { color: "#6f9fb8", weight: 1.2, fill: false }))
  ]), '<path d="M1 12C8 2 14 18 27 7" stroke="#6f9fb8" stroke-width="1.6" fill="none"/>');
}

// A picture of all hazards has legend and switch of its own; outlines above it are the same classes.
function addField(words, layer, swatch) {
  if (!pictured) { return add(words, layer, swatch); }
  layer.addTo(hazardOutlines);
}
var hazardOutlines = L.layerGroup();
if (pictured) { addPicture(); }

function band(name, words) {
  var own = areaGroup(
    function (area) { return area.kind === "contact-line" && area.band === name; },
    still(areaOn.indication, { color: COLOUR.indication.line, weight: 1, fill: !pictured, fillColor: hatching(name), fillOpacity: 1 })
  );
  remember(own, "indication");
  if (own.getLayers().length) {
    addField(words, own, '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-' + name + ')" stroke="#5E4B8B"/>');
  }
}
band("outer", term("Belt of the contact line, outer band (indication)"));
band("inner", term("Belt of the contact line, inner band (indication)"));

function field(name, words, style, swatch) {
  var own = areaGroup(function (area) { return area.kind !== "contact-line" && area["class"] === name; }, style);
  remember(own, name);
  if (own.getLayers().length) { addField(words, own, swatch); }
}
field("indication", data.generalised ? CLASS_WORDS.indication : term("Cluster strikes and other indications"),
  still(areaOn.indication, { color: "#5E4B8B", weight: 1.2, dashArray: "2 3", fill: !pictured, fillColor: hatching("strike"), fillOpacity: 1 }),
  '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-strike)" stroke="#5E4B8B" stroke-dasharray="2 3"/>');
field("SHA", CLASS_WORDS.SHA,
  still(areaOn.hazard, { color: COLOUR.SHA.line, weight: 1.2, dashArray: "5 3", fill: !pictured, fillColor: hatching("sha"), fillOpacity: 1 }),
  '<rect x="1" y="1" width="26" height="16" fill="url(#hatch-sha)" stroke="#8A5A00" stroke-dasharray="5 3" stroke-width="1.2"/>');
field("CHA", CLASS_WORDS.CHA,
  still(areaOn.hazard, { color: COLOUR.CHA.line, weight: 1.2, fill: !pictured, fillColor: COLOUR.CHA.fill, fillOpacity: 0.5 }),
  '<rect x="1" y="1" width="26" height="16" fill="#FF0000" fill-opacity="0.5" stroke="#7A0000" stroke-width="1.2"/>');
if (pictured && hazardOutlines.getLayers().length) { add(say("Hazard areas of the outlined tasks, as outlines"), hazardOutlines, null); }
