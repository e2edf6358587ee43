// Told anew in each language; a draft says that it is one, in that language and in English.
function tellFoot() {
  var foot = document.getElementById("foot"), first = element("p");
  foot.replaceChildren();
  if (about.tier) { first.append(element("strong", say(about.tier)), " "); }
  if (about.illustrative) { first.append(element("strong", say(about.illustrative)), " "); }
  first.append(element("strong", say(about.not_for_entry)), " ", said(about.boundaries));
  foot.appendChild(first);
  draftWords().forEach(function (words) { foot.appendChild(words); });
  if (about.line_note) { foot.appendChild(tell("p", "{note}.", { note: said(about.line_note) })); }
  foot.appendChild(element("p", say("As at {day}. CRS: {crs}. Fingerprint {fingerprint}.",
    { day: say(about.as_at), crs: about.crs, fingerprint: about.fingerprint })));
  if (!pictured) {
    foot.appendChild(element("p", say("All {tasks} tasks and {areas} hazard areas are drawn as outlines, none more than {m} m outside the outline in the data.", {
      tasks: figure(data.drawn.tasks, 0), areas: figure(data.drawn.areas, 0), m: figure(data.drawn.furthest_m, 0)
    })));
  }
  if (about.sources.length) { foot.appendChild(tell("p", say("Sources: {sources}"), { sources: said(about.sources.join("; ")) })); }
}

function draftWords() {
  var drafts = language === "en" ? 0 : catalogues[language].drafts;
  if (!drafts) { return []; }
  var words = term("This translation is a draft, not yet reviewed by a native speaker; the English text counts. Sentences that are drafts: {number} of {all}.");
  var own = { number: drafts, all: Object.keys(catalogues[language].words).length };
  var english = element("p", words.replace("{number}", own.number).replace("{all}", own.all), "draft");
  english.lang = "en";
  return [element("p", say(words, own), "draft"), english];
}
onWords(tellFoot);

map.invalidateSize();
if (extent.isValid()) { map.fitBounds(extent, { padding: phone ? [4, 4] : [16, 16], maxZoom: 14, animate: false }); }
placeLabels();
