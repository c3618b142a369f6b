"""Checks the report of a load as a browser shows it.

    check.py DOM.html REPORT.json SCREENSHOT.png...

DOM.html is what Chromium made of the page, REPORT.json the same report for machines. Each chart must be there, with
its title, its axes, a legend and something drawn; the page's numbers and data must be those of the JSON report; nothing
may refer to anything outside of the page; and no screenshot may be blank.
"""

import json
import re
import struct
import sys
import zlib
from html.parser import HTMLParser

CHARTS = {"units-table", "refusals", "failures", "rows", "batch-size", "in-flight", "latency"}
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, dict(attributes), parent
        self.children, self.texts = [], []

    def all(self, tag=None, **attributes):
        for child in self.children:
            given = child.attributes
            if tag in (None, child.tag) and all(value in (given.get(name) or "").split() for name, value in attributes.items()):
                yield child
            yield from child.all(tag, **attributes)

    def text(self):
        return "".join(self.texts)


class Dom(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.root = self.open = Element("root", {}, None)
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        element = Element(tag, attributes, self.open)
        self.open.children.append(element)
        if tag not in VOID:
            self.open = element

    def handle_startendtag(self, tag, attributes):
        self.open.children.append(Element(tag, attributes, self.open))

    def handle_endtag(self, tag):
        while self.open.parent and self.open.tag != tag:
            self.open = self.open.parent
        self.open = self.open.parent or self.root

    def handle_data(self, data):
        self.open.texts.append(data)


def need(truth, message):
    if not truth:
        sys.exit(f"error: {message}")


def check_charts(dom):
    found = {figure.attributes.get("id"): figure for figure in dom.all("figure")}
    need(CHARTS <= found.keys(), f"charts are missing: {CHARTS - found.keys()}")
    for name, figure in found.items():
        for tag in ("title", "desc"):
            need(any(part.text().strip() for part in figure.all(tag)), f"{name} has no {tag}")
        for axis in ("values", "times"):
            labels = [text for group in figure.all("g", **{"class": axis}) for text in group.all("text")]
            need(len(labels) >= 2 and all(label.text() for label in labels), f"{name} has no axis of {axis}")
        lines = [path for data in figure.all("svg", **{"class": "data"}) for path in data.all("path")]
        legend = [entry for legend in figure.all("ul", **{"class": "legend"}) for entry in legend.all("li")]
        need(legend and len(legend) == len(lines), f"{name} has {len(lines)} lines and {len(legend)} in its legend")
        for line in lines:
            path = line.attributes.get("d", "")
            need(path.count("H") >= 2, f"{name} has a line of less than two points: {path!r}")
            need("NaN" not in path and "inf" not in path, f"{name} has a line that cannot be drawn")


def check_numbers(dom, report):
    summary = report["summary"]
    (table,) = dom.all("table", id="summary")
    shown = {}
    for row in table.all("tr"):
        (name,), (value,) = list(row.all("th")), list(row.all("td"))
        shown[name.text()] = value.text().replace(",", "")
    for name, key in {
        "Rows read": "rows_read",
        "Items written": "items_written",
        "Superseded by another row of the key": "superseded",
        "Dead": "dead",
        "Rows without an outcome": "unresolved",
        "Write capacity units consumed": "consumed_write_units",
        "Requests": "requests",
        "Operations sent again": "retried_ops",
        "Operations refused for want of capacity": "throttled_ops",
    }.items():
        need(shown.get(name) == str(summary[key]), f"{name}: the page says {shown.get(name)}, the report {summary[key]}")
    (data,) = dom.all("script")
    need(data.attributes.get("type") == "application/json", "the page has a script")
    need(json.loads(data.text()) == report, "the page's data are not those of the report")


def check_sums(report):
    summary, timeline = report["summary"], report["timeline"]
    units = sum(point["table_units"] + sum(index["units"] for index in point["indexes"].values()) for point in timeline)
    need(units == summary["consumed_write_units"], f"{units} units over time, {summary['consumed_write_units']} in all")
    for of_point, of_all in [("rows_read", "rows_read"), ("requests", "requests"), ("sent_ops", "sent_ops")]:
        total = sum(point[of_point] for point in timeline)
        need(total == summary[of_all], f"{of_point}: {total} over time, {summary[of_all]} in all")
    for cause, ops in summary["refused"].items():
        total = sum(point["refused"][cause] for point in timeline)
        need(total == ops, f"refused for {cause}: {total} over time, {ops} in all")
    need(summary["throttled_ops"] > 0, "nothing was refused, so that the report shows little")


def check_nothing_from_elsewhere(dom):
    for element in dom.all():
        for name, value in element.attributes.items():
            outside = name in ("src", "href", "xlink:href", "srcset", "data", "action")
            need(not outside, f"<{element.tag}> refers to {value!r}")
            need(not re.search(r"url\(", value or ""), f"<{element.tag} {name}> refers to {value!r}")
    for style in dom.all("style"):
        need(not re.search(r"url\(|@import", style.text()), "the style sheet refers to something outside")


def pixels(path):
    """The rows of an 8-bit PNG, and the bytes of a pixel."""
    with open(path, "rb") as file:
        data = file.read()
    need(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG")
    place, packed = 8, b""
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        chunk = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            need(depth == 8 and colour in (2, 6), f"{path} is a PNG of another kind")
            size = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            packed += chunk
        place += 12 + length
    raw, above = zlib.decompress(packed), bytearray(width * size)
    for row in range(height):
        start = row * (width * size + 1)
        method, line = raw[start], bytearray(raw[start + 1 : start + 1 + width * size])
        for at in range(len(line)):
            left = line[at - size] if at >= size else 0
            up = above[at]
            corner = above[at - size] if at >= size else 0
            if method == 1:
                line[at] = (line[at] + left) & 255
            elif method == 2:
                line[at] = (line[at] + up) & 255
            elif method == 3:
                line[at] = (line[at] + (left + up) // 2) & 255
            elif method == 4:
                guess = left + up - corner
                nearest = min((left, up, corner), key=lambda value: abs(guess - value))
                line[at] = (line[at] + nearest) & 255
        above = line
        yield line, size


def check_screenshot(path):
    colours = set()
    for line, size in pixels(path):
        colours.update(bytes(line[at : at + 3]) for at in range(0, len(line), size))
    need(len(colours) >= 50, f"{path} has {len(colours)} colours: it is blank")
    print(f"{path}: {len(colours)} colours")


def main(dom, report, *screenshots):
    with open(dom, encoding="utf-8") as file:
        dom = Dom(file.read()).root
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    check_charts(dom)
    check_numbers(dom, report)
    check_sums(report)
    check_nothing_from_elsewhere(dom)
    for screenshot in screenshots:
        check_screenshot(screenshot)
    print(f"{len(list(dom.all('figure')))} charts of {len(report['timeline'])} points are as the report says")


main(*sys.argv[1:])
