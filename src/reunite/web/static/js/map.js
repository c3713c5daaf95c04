// Maps that need nobody else's tiles: towns, rings around a place, and what is put on them.
// Leaflet is loaded when somebody asks for a map, not before.

const RINGS_KM = [1, 3, 10, 30];
const TOWN_PAUSE_MS = 300;

let loading;

function leaflet(box) {
  loading ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = box.dataset.leafletCss;
    const script = document.createElement("script");
    script.src = box.dataset.leafletJs;
    script.onload = () => resolve(self.L);
    script.onerror = reject;
    document.head.append(style, script);
  });
  return loading;
}

async function nameTowns(L, map, layer, address) {
  const bounds = map.getBounds();
  const centre = bounds.getCenter();
  const query = new URLSearchParams({
    latitude: centre.lat.toFixed(4),
    longitude: centre.wrap().lng.toFixed(4),
    radius_km: Math.min(3000, Math.ceil(centre.distanceTo(bounds.getNorthEast()) / 1000)),
  });
  const answer = await fetch(`${address}?${query}`);
  if (!answer.ok) return;
  layer.clearLayers();
  for (const { name, latitude, longitude } of await answer.json()) {
    L.circleMarker([latitude, longitude], { radius: 3, className: "map-town", interactive: false })
      .bindTooltip(name, { permanent: true, direction: "right", className: "map-label" })
      .addTo(layer);
  }
}

// A map in a box with data-latitude, data-longitude (where it starts) and data-towns-around.
export async function openMap(box, canvas) {
  const L = await leaflet(box);
  const start = [Number(box.dataset.latitude), Number(box.dataset.longitude)];
  const map = L.map(canvas, { attributionControl: false, minZoom: 3, maxZoom: 18 });
  map.setView(start, Number(box.dataset.zoom ?? 11));
  L.control.scale({ imperial: false }).addTo(map);
  const towns = L.layerGroup().addTo(map);
  if (box.dataset.rings !== undefined) {
    for (const km of RINGS_KM) {
      L.circle(start, { radius: km * 1000, className: "map-ring", fill: false, interactive: false }).addTo(map);
      const north = start[0] + km / 111.2;
      L.circleMarker([north, start[1]], { radius: 0, stroke: false, fill: false, interactive: false })
        .bindTooltip(`${km} km`, { permanent: true, direction: "center", className: "map-label" })
        .addTo(map);
    }
    L.circleMarker(start, { radius: 7, className: "map-start", interactive: false }).addTo(map);
  }
  let waiting;
  const refresh = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => nameTowns(L, map, towns, box.dataset.townsAround).catch(() => {}), TOWN_PAUSE_MS);
  };
  map.on("moveend", refresh);
  refresh();
  return { L, map };
}

// A button that opens the map below it, once.
function onDemand(box, draw) {
  const button = box.querySelector("[data-map-open]");
  const canvas = box.querySelector("[data-map-canvas]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    canvas.hidden = false;
    try {
      draw(await openMap(box, canvas), box);
      button.hidden = true;
    } catch {
      canvas.hidden = true;
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

// Choose a place: a tap puts the pin and fills in the coordinates.
function choosePlace({ L, map }, box) {
  const form = box.closest("form");
  const { latitude, longitude, datum } = form.elements;
  let pin;
  const put = (place) => {
    pin ??= L.circleMarker(place, { radius: 9, className: "map-pin" }).addTo(map);
    pin.setLatLng(place);
  };
  if (latitude.value && longitude.value) put([latitude.value, longitude.value]);
  map.on("click", ({ latlng }) => {
    const place = latlng.wrap();
    put(place);
    latitude.value = place.lat.toFixed(5);
    longitude.value = place.lng.toFixed(5);
    datum.value = "wgs84";
    latitude.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// Sightings in the order of time; a slider shows them up to some moment.
function showSightings({ L, map }, box) {
  const rows = [...document.querySelectorAll("[data-sighting-place]")].map(({ dataset }) => ({
    place: [Number(dataset.latitude), Number(dataset.longitude)],
    label: dataset.label,
    state: dataset.state,
  }));
  const layer = L.layerGroup().addTo(map);
  const slider = box.querySelector("input[type=range]");
  const output = box.querySelector("output");
  const draw = () => {
    const shown = rows.slice(0, Number(slider.value));
    layer.clearLayers();
    L.polyline(shown.map(({ place }) => place), { className: "map-way", interactive: false }).addTo(layer);
    shown.forEach(({ place, label, state }, index) => {
      L.circleMarker(place, { radius: 9, className: `map-sighting map-sighting-${state}` })
        .bindTooltip(`${index + 1} · ${label}`, { permanent: index === shown.length - 1 })
        .addTo(layer);
    });
    output.textContent = shown.at(-1)?.label ?? "";
  };
  slider.max = rows.length;
  slider.value = rows.length;
  slider.addEventListener("input", draw);
  box.querySelector("[data-map-time]").hidden = rows.length < 2;
  draw();
  const all = [[Number(box.dataset.latitude), Number(box.dataset.longitude)], ...rows.map(({ place }) => place)];
  map.fitBounds(L.latLngBounds(all).pad(0.2), { maxZoom: 15 });
}

// Draw whom an alert is for: corners by tapping, into the GeoJSON beside the map.
function drawArea({ L, map }, box) {
  const { area, without, radius_km: radius } = box.closest("form").elements;
  const shown = L.layerGroup().addTo(map);
  const bar = document.createElement("p");
  bar.className = "actions";
  let kind = null;
  let corners = [];

  const geometries = (field) => {
    try {
      const value = JSON.parse(field.value);
      return value.geometries ?? [value.geometry ?? value];
    } catch {
      return [];
    }
  };
  const show = () => {
    shown.clearLayers();
    const circle = [Number(box.dataset.latitude), Number(box.dataset.longitude)];
    if (!area.value) L.circle(circle, { radius: 1000 * Number(radius.value || 0), className: "map-area", interactive: false }).addTo(shown);
    for (const [field, className] of [[area, "map-area"], [without, "map-without"]]) {
      for (const geometry of geometries(field)) {
        try {
          L.geoJSON(geometry, { style: () => ({ className }), interactive: false }).addTo(shown);
        } catch {
          // Half typed.
        }
      }
    }
    if (corners.length) L.polyline(corners, { className: "map-area", fill: false, interactive: false }).addTo(shown);
    for (const corner of corners) L.circleMarker(corner, { radius: 5, className: "map-pin", interactive: false }).addTo(shown);
  };
  const finish = () => {
    const field = kind === "without" ? without : area;
    const pairs = corners.map(({ lat, lng }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))]);
    const geometry = kind === "line"
      ? { type: "LineString", coordinates: pairs }
      : { type: "Polygon", coordinates: [[...pairs, pairs[0]]] };
    field.value = JSON.stringify({ type: "GeometryCollection", geometries: [...geometries(field), geometry] });
    corners = [];
    kind = null;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    mark();
  };
  const buttons = {};
  const mark = () => {
    for (const [name, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(name === kind));
    buttons.done.disabled = corners.length < (kind === "line" ? 2 : 3);
    show();
  };
  const add = (name, action) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = box.dataset[`word${name[0].toUpperCase()}${name.slice(1)}`];
    button.addEventListener("click", () => { action(); mark(); });
    buttons[name] = button;
    bar.append(button);
  };
  for (const name of ["area", "line", "without"]) add(name, () => { kind = name; corners = []; });
  add("done", finish);
  add("clear", () => {
    area.value = without.value = "";
    corners = [];
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  box.append(bar);
  map.on("click", ({ latlng }) => {
    if (!kind) return;
    corners.push(latlng.wrap());
    mark();
  });
  for (const field of [area, without, radius]) field.addEventListener("input", show);
  mark();
}

for (const box of document.querySelectorAll("[data-map=draw]")) onDemand(box, drawArea);
for (const box of document.querySelectorAll("[data-map=choose]")) onDemand(box, choosePlace);
for (const box of document.querySelectorAll("[data-map=sightings]")) onDemand(box, showSightings);
