"""Floating point in the eval loop: five bodies, a leap-frog integrator."""

import math
import sys

BODIES = [
    # x, y, z, vx, vy, vz, mass; made-up but stable figures
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5],
    [4.8, -1.2, -0.1, 0.6, 2.8, -0.02, 0.04],
    [8.3, 4.1, -0.4, -1.0, 1.8, 0.01, 0.01],
    [12.9, -15.1, -0.2, 1.1, 0.9, -0.01, 0.002],
    [15.4, -25.9, 0.2, 1.0, 0.6, -0.03, 0.002],
]


def advance(bodies, steps, dt):
    for _ in range(steps):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                pull = dt / math.sqrt(dx * dx + dy * dy + dz * dz) ** 3
                am, bm = a[6] * pull, b[6] * pull
                a[3] -= dx * bm
                a[4] -= dy * bm
                a[5] -= dz * bm
                b[3] += dx * am
                b[4] += dy * am
                b[5] += dz * am
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


advance(BODIES, int(sys.argv[1]), 0.01)
print(f"{BODIES[1][0]:.6f}")
