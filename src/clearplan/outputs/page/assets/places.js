// --- accidents, places, contact line -----------------------------------------------------------------------

if (data.accidents.length) {
  add(term("Accidents"), L.layerGroup(data.accidents.map(function (accident) {
    return L.marker(latLngs(accident.shape.parts[0][0])[0], {
      icon: L.divIcon({ html: cross(), className: "accident", iconSize: [9, 9] }),
      pane: "contact", interactive: false, keyboard: false
    });
  })), '<path d="M9 4L19 14M19 4L9 14" stroke="#1b1b1b" stroke-width="2"/>');
}

function cross() {
  var picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("width", "9");
  picture.setAttribute("height", "9");
  var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M1.5 1.5L7.5 7.5M7.5 1.5L1.5 7.5");
  path.setAttribute("stroke", "#1b1b1b");
  path.setAttribute("stroke-width", "1.3");
  picture.appendChild(path);
  return picture;
}

var labels = [];

// Lived in, and nobody waits: nothing opens there.
function nobodyWaits(zone) { return zone.people === 0 && zone.home > 0; }

// People already home and people who wait, apart; a star marks a number that is illustrative.
function peopleWords(zone) {
  var words = zone.home === null ? [] : [say("{number} home", { number: figure(zone.home, 0) })];
  if (zone.people === null) { words.push(words.length ? say("waiting: unknown") : say("people unknown")); }
  else if (!nobodyWaits(zone)) {
    words.push(say("{number} wait", { number: figure(zone.people, 0) + (zone.made_up ? "*" : "") }));
  }
  return words.join(", ");
}

function describeZone(zone) {
  var box = element("div", null, "card");
  box.appendChild(element("h3", zone.name));
  box.appendChild(element("p", say("Already home: {people} people, {families} families.",
    { people: figure(zone.home, 0), families: figure(zone.home_families, 0) })
    + (zone.home_on ? " " + say("As at {day}.", { day: dayWords(zone.home_on) }) : "")));
  box.appendChild(element("p", say("Waiting to return: {people} people, {families} families.",
    { people: figure(zone.people, 0), families: figure(zone.families, 0) })
    + (zone.made_up ? " " + say("* This number is illustrative, made up.") : "")));
  if (zone["return"]) { box.appendChild(element("p", say("Planned return: {day}", { day: zone["return"] }))); }
  // plan {
  box.appendChild(paragraphs(openingWords(zone)));
  // } plan
  if (data.generalised) {
    box.appendChild(element("p", say("Drawn in the middle of its cell, not where it lies."), "quiet"));
  } else {
    box.appendChild(element("p", say("Position error: {error}", { error: raw(zone.error_m, "m") }), "quiet"));
    box.appendChild(element("p", say(zone.source), "quiet"));
  }
  return linked(box, zoneHash(zone));
}

add(data.zones.some(function (zone) { return zone.made_up; }) ? term("Places of return; *: illustrative") : term("Places of return"), L.layerGroup(data.zones.map(function (zone) {
  var marker = draw(zone.shape, {
    renderer: svg.zone, pane: "zone", bubblingMouseEvents: false, radius: 6, color: "#00429D", weight: 2, fillColor: "#73A2C6",
    fillOpacity: zone.shape.type === "point" ? 0.9 : 0.35
  });
  marker.on("click", function (event) { popup(event.latlng, function () { return describeZone(zone); }); });
  var text = element("span");
  text.appendChild(element("b", zone.name));
  var people = element("span");
  onWords(function () { write(people, peopleWords(zone)); });
  text.appendChild(people);
  marker.bindTooltip(text, { permanent: true, direction: "right", className: "label", offset: [6, 0] });
  labels.push({ marker: marker, people: zone.people || 0, zone: zone });
  // plan {
  placeMarkers.push({ zone: zone, marker: marker });
  // } plan
  return marker;
})), '<circle cx="14" cy="9" r="6" fill="#73A2C6" stroke="#00429D" stroke-width="2"/>');

if (data.lines.length) {
  add(term("Contact line"), group(data.lines, still(svg.contact, { color: "#1b1b1b", weight: 2.6, dashArray: "9 4 2 4" })),
    '<path d="M1 9H27" stroke="#1b1b1b" stroke-width="2.6" stroke-dasharray="9 4 2 4"/>');
}
