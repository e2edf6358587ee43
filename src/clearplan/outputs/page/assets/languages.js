// --- the switch of languages -----------------------------------------------------------------------------------

// keep: an open card is told anew; a link that leads elsewhere opens its own.
function speak(code, keep) {
  if (code !== "en" && !Object.hasOwn(catalogues, code)) { return; }
  var centre = map.getCenter(), card = keep === false ? null : shownCard, now = document.activeElement;
  language = code;
  inEnglish = new Set();
  document.documentElement.lang = code;
  document.getElementById("language").value = code;
  map.closePopup();
  emptySheet();
  retold.forEach(function (draw) { draw(); });
  // Longer sentences take room from the map: what lay in its middle stays there.
  map.invalidateSize({ pan: false });
  map.setView(centre, map.getZoom(), { animate: false });
  placeLabels();
  if (!card) { return; }
  // An open card is told anew; the focus stays where the language was chosen.
  popup(card.where, card.draw);
  if (document.contains(now) && !isCard(now) && now !== document.body) { now.focus({ preventScroll: true }); }
}

// Only on demand: #lang=ru, ?lang=ru, or lang=auto for the browser's own. The same file opens alike for everybody.
function askedLanguage() {
  var asked = /[#&]lang=([a-z]+)/.exec(window.location.hash) || /[?&]lang=([a-z]+)/.exec(window.location.search);
  if (!asked) { return null; }
  if (asked[1] !== "auto") { return asked[1]; }
  var known = window.navigator.languages.map(function (name) { return name.slice(0, 2); });
  return known.filter(function (code) { return code === "en" || Object.hasOwn(catalogues, code); })[0] || null;
}

(function () {
  var choice = document.getElementById("language");
  [["en", "English"]].concat(Object.keys(catalogues).map(function (code) { return [code, catalogues[code].name]; }))
    .forEach(function (own) {
      var option = element("option", own[1]);
      option.value = own[0];
      option.lang = own[0];
      choice.appendChild(option);
    });
  choice.addEventListener("change", function () { speak(choice.value); retellHash(); });
  window.addEventListener("hashchange", function () {
    if (askedLanguage() && askedLanguage() !== language) { speak(askedLanguage(), !withoutLanguage(location.hash)); }
  });
  if (askedLanguage()) { speak(askedLanguage()); }
})();
