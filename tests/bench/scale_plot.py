"""A plot of what a delivery costs by the length of the queue, as SVG."""

import math

WIDTH, HEIGHT, MARGIN = 640, 360, 60


def svg(drains):
    """@param drains  figures with queued and cpu_ms_per_delivery; the length is shown on a logarithmic scale"""
    most = 1.25 * max(drain["cpu_ms_per_delivery"] for drain in drains)
    first, last = (math.log10(drains[index]["queued"]) for index in (0, -1))

    def x(queued):
        return MARGIN + (math.log10(queued) - first) / max(last - first, 1e-9) * (WIDTH - 2 * MARGIN)

    def y(cost_ms):
        return HEIGHT - MARGIN - cost_ms / most * (HEIGHT - 2 * MARGIN)

    points = [(x(drain["queued"]), y(drain["cpu_ms_per_delivery"]), drain) for drain in drains]
    marks = "\n".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3"/><text x="{px:.1f}" y="{py - 10:.1f}">{drain["cpu_ms_per_delivery"]:.3f}'
                      f'</text><text x="{px:.1f}" y="{HEIGHT - MARGIN + 20}">{drain["queued"]:,}</text>' for px, py, drain in points)
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in points)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12" text-anchor="middle">
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
<polyline points="{MARGIN},{MARGIN} {MARGIN},{HEIGHT - MARGIN} {WIDTH - MARGIN},{HEIGHT - MARGIN}" fill="none" stroke="black"/>
<polyline points="{line}" fill="none" stroke="steelblue" stroke-width="2"/>
{marks}
<text x="{WIDTH / 2}" y="{HEIGHT - 15}">recipients queued</text>
<text x="{WIDTH / 2}" y="30">CPU ms of a delivery</text>
</svg>
"""
