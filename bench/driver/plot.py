"""Draws what run.sh has measured, as SVG for the README, which shows one of two by the reader's theme.

    plot.py LINES FOLDER    LINES: a file of run.sh's lines and of the curves' points
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: E402

from curves import DELIVERY, IDLE  # noqa: E402


@dataclass(frozen=True)
class Theme:
    name: str
    text: str
    faint: str
    ours: str
    ours_too: str
    theirs: str
    theirs_too: str


THEMES = (
    Theme("light", text="#24292f", faint="#d8dee4", ours="#cc7b00", ours_too="#8f5a00", theirs="#6e7781", theirs_too="#32383f"),
    Theme("dark", text="#e6edf3", faint="#30363d", ours="#f0a020", ours_too="#ffd58a", theirs="#7d8590", theirs_too="#c9d1d9"),
)

OURS = {
    "feed_callback": "plex-activities, callback",
    "feed_batch": "plex-activities, try_next() in batches",
    "feed": "plex-activities, co_await next()",
}
PEERS = {
    "beast_read_loop": "Beast, async_read (decodes nothing)",
    "bun": "bun, its WebSocket + JSON.parse",
    "go_gorilla": "Go, gorilla/websocket + easyjson",
    "node_ws": "node, ws + JSON.parse",
    "aiohttp": "Python, aiohttp + json",
}


def style(theme: Theme) -> dict[str, object]:
    return {
        "font.size": 10.5, "font.family": "DejaVu Sans",
        "text.color": theme.text, "axes.labelcolor": theme.text, "axes.titlecolor": theme.text,
        "xtick.color": theme.text, "ytick.color": theme.text, "axes.edgecolor": theme.faint,
        "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 11.5, "axes.titleweight": "bold",
        "axes.titlelocation": "left", "axes.titlepad": 12, "grid.color": theme.faint, "axes.axisbelow": True,
        "xtick.major.size": 0, "ytick.major.size": 0,
        "svg.hashsalt": "plex-activities",  # the same picture is the same file
    }


def short(value: float, _position: object = None) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def rates(lines: dict[str, dict]) -> dict[str, float]:
    """Events for each second of CPU time."""
    found = {label: 1e9 / lines[name]["ns_per_event"] for name, label in OURS.items() if name in lines}
    for name, label in PEERS.items():
        if name in lines["feed"]["vs"]:
            found[label] = 1e9 / (lines["feed"]["ns_per_event"] * lines["feed"]["vs"][name])
    return found


def draw_comparison(lines: dict[str, dict], theme: Theme):
    shown = sorted(rates(lines).items(), key=lambda item: item[1])
    figure, axes = pyplot.subplots(figsize=(8.4, 0.8 + 0.42 * len(shown)), layout="constrained")
    labels, values = zip(*shown)
    ours = set(OURS.values())
    bars = axes.barh(labels, values, height=0.66, color=[theme.ours if label in ours else theme.theirs for label in labels])
    axes.bar_label(bars, [short(value) for value in values], padding=5, color=theme.text)
    for tick in axes.get_yticklabels():
        tick.set_fontweight("bold" if tick.get_text() in ours else "normal")
    axes.set_title("Events of the feed for each second of CPU time", x=0, ha="left")
    axes.set_xlim(0, max(values) * 1.12)
    axes.xaxis.set_visible(False)
    axes.spines[["bottom", "left"]].set_visible(False)
    return figure


def draw_curve(axes, points: list[dict], colours: dict[str, str]) -> None:
    series: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        series.setdefault(point["series"], []).append((point["x"], point["y"]))
    for name, values in series.items():
        xs, ys = zip(*sorted(values))
        axes.plot(xs, ys, marker="o", markersize=4.5, linewidth=2, color=colours[name])
        axes.annotate(name, (xs[-1], ys[-1]), (9, 0), textcoords="offset points", va="center", color=colours[name],
                      fontweight="bold")
    axes.grid(True, axis="y")
    axes.spines["left"].set_visible(False)


def draw_scaling(points: list[dict], theme: Theme):
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10.4, 3.7), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06)
    draw_curve(left, [p for p in points if p["curve"] == "subscribers"],
               dict(zip(DELIVERY, (theme.ours, theme.ours_too), strict=True)))
    left.set_title("Events delivered, a second of CPU time", x=0)
    left.set_xlabel("subscribers of one connection")
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (left.xaxis, left.yaxis):
        axis.set_minor_locator(NullLocator())
    left.yaxis.set_major_formatter(FuncFormatter(short))

    draw_curve(right, [p for p in points if p["curve"] == "feeds"],
               dict(zip(IDLE, (theme.ours, theme.theirs_too, theme.theirs), strict=True)))
    right.set_title("Resident memory, MiB", x=0)
    right.set_xlabel("idle feeds, each its own connection")
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    right.set_xlim(left=0)
    right.set_ylim(bottom=0)
    return figure


def draw(lines: list[dict], folder: Path) -> list[Path]:
    benches = {line["bench"]: line for line in lines if "bench" in line}
    points = [line for line in lines if "curve" in line]
    written = []
    for theme in THEMES:
        with pyplot.rc_context(style(theme)):
            figures = {"bench-scaling": draw_scaling(points, theme)} if points else {}
            if "feed" in benches:
                figures["bench-feed"] = draw_comparison(benches, theme)
            for name, figure in figures.items():
                path = folder / f"{name}-{theme.name}.svg"
                figure.savefig(path, transparent=True, metadata={"Date": None})
                pyplot.close(figure)
                written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for drawn in draw([json.loads(text) for text in Path(sys.argv[1]).read_text().splitlines()], Path(sys.argv[2])):
        print(drawn)
