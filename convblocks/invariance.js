// Sliders that move, turn and zoom a picture. Python draws it, pools it and says what is unchanged (invariance.py).

const pixels = (value) => `${value} ${Math.abs(value) === 1 ? "pixel" : "pixels"}`;
const SLIDERS = [
  { name: "right", from: -3, to: 3, step: 1, unit: pixels },
  { name: "down", from: -3, to: 3, step: 1, unit: pixels },
  { name: "turn", from: -45, to: 45, step: 5, unit: (value) => `${value} degrees` },
  { name: "zoom", from: 0.5, to: 2, step: 0.1, unit: (value) => `× ${value}` },
];
const REST = { right: 0, down: 0, turn: 0, zoom: 1 };

function render({ model, el }) {
  const { ask: send, status, leave } = talk(model, show);
  const card = document.createElement("div");
  card.className = "convblocks";
  // JupyterLab would take arrow keys for going to another cell, and letters for cutting or adding one.
  card.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) event.stopPropagation();
  });
  const controls = document.createElement("div");
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-label", "Move the picture");
  const inputs = SLIDERS.map((slider) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const value = document.createElement("output");
    Object.assign(input, { type: "range", min: slider.from, max: slider.to, step: slider.step });
    input.addEventListener("input", () => ask(Object.fromEntries(inputs.map((one) => [one.name, +one.input.value]))));
    label.append(slider.name, input, value);
    controls.append(label);
    return { ...slider, input, value };
  });
  const reset = document.createElement("button");
  reset.type = "button";
  reset.textContent = "as it was";
  reset.addEventListener("click", () => ask(REST));
  controls.append(reset);
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  const picture = document.createElement("img");
  card.append(controls, status, said, picture);
  el.append(card);

  function ask(movement) {
    place(movement);
    send(movement);
  }

  function place(movement) {
    for (const { name, input, value, unit } of inputs) {
      input.value = movement[name];
      value.textContent = unit(movement[name]);
      input.setAttribute("aria-valuetext", unit(movement[name]));
    }
  }

  function show() {
    const told = model.get("told");
    picture.src = told.src;
    picture.alt = told.alt;
    said.textContent = told.said;
  }

  place(model.get("told").movement);
  show();
  return leave;
}

export default { render };
