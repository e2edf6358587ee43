// --- head, panel, foot -----------------------------------------------------------------------------------------

document.getElementById("title").textContent = about.title;
about.figures.forEach(function (pair) {
  var box = element("div");
  box.appendChild(element("dt", pair[0]));
  box.appendChild(element("dd", pair[1]));
  document.getElementById("figures").appendChild(box);
});
if (about.illustrative) {
  var banner = document.getElementById("illustrative");
  banner.textContent = about.illustrative;
  banner.hidden = false;
}
if (about.notes.length) {
  var notes = document.getElementById("notes");
  // The ledger's contradictions are many words: they open on demand, and their number stands there at once.
  var folded = about.notes.filter(function (note) { return note.indexOf("Land release:") === 0; });
  about.notes.forEach(function (note) {
    if (folded.indexOf(note) < 0) { notes.querySelector("ul").appendChild(element("li", note)); }
  });
  if (folded.length) {
    var details = element("details"), inside = element("ul");
    details.appendChild(element("summary", "Land release: " + folded.length + " kinds of contradictions between decisions and reports"));
    folded.forEach(function (note) { inside.appendChild(element("li", note.slice(14))); });
    details.appendChild(inside);
    var item = element("li");
    item.appendChild(details);
    notes.querySelector("ul").appendChild(item);
  }
  notes.hidden = false;
}

function goTo(task) {
  var bounds = boundsOf(task);
  map.fitBounds(bounds, { maxZoom: 13, animate: false });
  show(task, bounds.getCenter());
}

var GATED_SHOWN = 200; // buttons under one reason

// One gate may close many tasks: they stand under their reason, and many are folded.
function listGated() {
  var holder = document.getElementById("gated"), reasons = [];
  gatedTasks.forEach(function (task) {
    var reason = task.gates || "no reason given";
    if (reasons.indexOf(reason) < 0) { reasons.push(reason); }
  });
  holder.querySelector("summary").textContent = "Behind a gate: " + figure(gatedTasks.length, 0);
  holder.querySelector("p").textContent = "These hazards stay as they are; their tasks have no rank until the gate opens.";
  reasons.forEach(function (reason) {
    var own = gatedTasks.filter(function (task) { return (task.gates || "no reason given") === reason; });
    var item = element("li", reason + ":");
    item.appendChild(element("br"));
    own.slice(0, GATED_SHOWN).forEach(function (task) {
      var button = element("button", task.id, "link");
      button.type = "button";
      button.addEventListener("click", function () { goTo(task); });
      item.appendChild(button);
    });
    if (own.length > GATED_SHOWN) { item.appendChild(element("span", say("and {n} more, in tasks.csv", { n: figure(own.length - GATED_SHOWN, 0) }))); }
    holder.querySelector("ul").appendChild(item);
  });
  holder.open = gatedTasks.length <= FOLDED;
  holder.hidden = false;
}
if (gatedTasks.length) { listGated(); }

function list(queue) {
  var tasks = tasksOf(queue);
  var holder = document.getElementById("list");
  holder.replaceChildren();
  tasks.slice(0, NUMBERED).forEach(function (task) {
    var button = element("button");
    button.type = "button";
    button.appendChild(element("span", task.rank, "number " + queue));
    var middle = element("span", task.zones.length ? listed(task.zones, 3) : task.district || "outside every district given");
    middle.appendChild(element("small", task.id + ", " + figure(task.ha, 1) + " ha"));
    button.appendChild(middle);
    button.appendChild(element("span", figure(task.score, 1)));
    button.addEventListener("click", function () { goTo(task); });
    var item = element("li");
    item.appendChild(button);
    holder.appendChild(item);
  });
  var waiting = gatedTasks.filter(function (task) { return task.queue === queue; }).length;
  document.getElementById("more").textContent = tasks.length
    ? "First " + Math.min(NUMBERED, tasks.length) + " of " + figure(tasks.length, 0)
      + " by score of 100; all are on the map and in tasks.csv. Click for the reasons."
    : waiting ? "No task of this queue has a rank: " + waiting + " behind a gate."
    : "No task waits in this queue.";
  document.querySelectorAll(".tabs button").forEach(function (tab) {
    tab.setAttribute("aria-pressed", String(tab.dataset.queue === queue));
  });
}
document.querySelectorAll(".tabs button").forEach(function (tab) {
  tab.addEventListener("click", function () { list(tab.dataset.queue); });
});
list("survey");

// How shapes are drawn, and that nothing is left out.
(function () {
  var drawn = data.drawn, values = {
    tasks: figure(drawn.tasks, 0), areas: figure(drawn.areas, 0), outlinedTasks: figure(drawn.outlined_tasks, 0),
    outlinedAreas: figure(drawn.outlined_areas, 0), m: figure(drawn.furthest_m, 0),
    cell: pictured ? figure(pictured.cell_m, 0) : ""
  };
  if (!pictured) { return; }
  var told = [
    say("Cells of the picture are about {cell} m wide. One is coloured where any hazard touches it, and the strongest class counts.", values),
    say("Outlined are the first tasks of each queue, with their hazards. No outline lies more than {m} m outside the true one.", values),
    say("A click on the picture can't tell more than its cell: it lists all tasks that touch the cell, or come near. One that is chosen there is outlined roughly, never less than it is."),
    say("All counts and figures on this page are of all tasks and areas.")
  ];
  // plan {
  var planned = data.tasks.filter(function (task) { return Boolean(task.plan); });
  told.push(say("Of {n} tasks in the plan, the slider colours the {k} that are outlined.", {
    n: figure(planned.length, 0), k: figure(planned.filter(isOutlined).length, 0)
  }));
  // } plan
  var holder = document.getElementById("drawn");
  holder.querySelector("summary").textContent = say("Drawn as a picture: all {areas} hazard areas with their {tasks} tasks. As outlines, too: {outlinedAreas} hazard areas, {outlinedTasks} tasks.", values);
  told.forEach(function (words) { holder.appendChild(element("p", words)); });
  holder.hidden = false;
})();
