// A convolution to step through: asks step.py for one cell of the output after the other and shows what it is told.

const PAUSE = 1500; // milliseconds between two cells while it plays

function element(parent, tag, properties = {}, attributes = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.append(made);
  return made;
}

function render({ model, el }) {
  let cell = model.get("told").cell;
  let timer = null;
  const { ask: send, status, leave } = talk(model, show);

  const box = element(el, "div", { className: "convblocks", tabIndex: 0 }, {
    role: "group",
    "aria-label": "Step through it: left and right arrow keys, Home and End, space to play",
  });
  const picture = element(box, "img");
  // The arithmetic of a large picture is to be seen beside it.
  picture.style.maxHeight = "75vh";
  const controls = element(box, "div", { className: "controls" });
  const back = element(controls, "button", { type: "button", textContent: "◀ back", onclick: () => go(cell - 1) });
  const play = element(controls, "button", { type: "button", onclick: () => (timer === null ? start() : stop()) });
  const next = element(controls, "button", { type: "button", textContent: "next ▶", onclick: () => go(cell + 1) });
  const slider = element(controls, "input", { type: "range", min: 0 }, { "aria-label": "cell of the output" });
  slider.oninput = () => go(Number(slider.value));
  box.append(status);
  const said = element(box, "div", { className: "said" }, { "aria-live": "polite" });

  function last() {
    return model.get("told").cells - 1;
  }

  function go(to) {
    stop();
    ask(to);
  }

  function ask(to) {
    cell = Math.min(Math.max(to, 0), last());
    send({ cell });
    mark();
  }

  function start() {
    // From the end it begins anew.
    if (cell === last()) ask(0);
    wait();
    mark();
  }

  function wait() {
    timer = setTimeout(() => {
      ask(cell + 1);
      if (cell === last()) stop();
      else wait();
    }, PAUSE);
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    mark();
  }

  // What is known without an answer from the kernel.
  function mark() {
    back.disabled = cell === 0;
    next.disabled = cell === last();
    play.textContent = timer === null ? "▶ play" : "❚❚ pause";
    slider.max = last();
    slider.value = cell;
    slider.setAttribute("aria-valuetext", `${cell + 1} of ${last() + 1}`);
    // Nobody can listen as fast as it plays.
    said.setAttribute("aria-live", timer === null ? "polite" : "off");
  }

  function show() {
    const told = model.get("told");
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(told.svg);
    picture.alt = told.alt;
    said.replaceChildren();
    element(said, "strong", { textContent: `Cell ${told.cell + 1} of ${told.cells}: ${told.place}` });
    for (const step of told.steps) element(said, "div", { textContent: step });
    if (told.yours) element(said, "div", { className: "yours", textContent: told.yours });
    if (told.printed) {
      element(said, "div", { textContent: "printed:" });
      element(said, "pre", { textContent: told.printed });
    }
  }

  const keys = {
    ArrowLeft: () => go(cell - 1),
    ArrowRight: () => go(cell + 1),
    Home: () => go(0),
    End: () => go(last()),
    " ": () => play.click(),
  };

  box.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    // JupyterLab would take arrow keys for going to another cell, and letters for cutting or adding one.
    event.stopPropagation();
    // Space presses the button that has the focus.
    if (!Object.hasOwn(keys, event.key) || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    keys[event.key]();
  };

  mark();
  show();
  return () => {
    stop();
    leave();
  };
}

export default { render };
