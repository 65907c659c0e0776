"""The numbers of EXP32 in src/runtime/exp.rs: 2^f by 1 + f × a polynomial, for f of at most a half, with the least relative error.

    python scripts/exp32.py        (mpmath 1.4.1; prints the error and the coefficients)
"""

from mpmath import cos, lu_solve, matrix, mp, mpf, nstr, pi

mp.dps = 40
DEGREE = 8
END = mpf("0.5000001")
STEPS = 4000


def error(numbers, f):
    return (1 + sum(a * f ** (k + 1) for k, a in enumerate(numbers))) / mpf(2) ** f - 1


def extremes(numbers):
    """The largest error of each stretch of one sign."""
    found = []
    for step in range(STEPS + 1):
        f = -END + 2 * END * step / STEPS
        e = error(numbers, f)
        if e == 0:
            continue
        if not found or (found[-1][1] > 0) != (e > 0):
            found.append((f, e))
        elif abs(e) > abs(found[-1][1]):
            found[-1] = (f, e)
    while len(found) > DEGREE + 1:
        found.pop(0 if abs(found[0][1]) < abs(found[-1][1]) else -1)
    return found


places = [END * cos(pi * (2 * i + 1) / (2 * DEGREE + 2)) for i in range(DEGREE + 1)]
for _ in range(30):
    left, right = matrix(DEGREE + 1, DEGREE + 1), matrix(DEGREE + 1, 1)
    for i, f in enumerate(places):
        for k in range(DEGREE):
            left[i, k] = f ** (k + 1) / mpf(2) ** f
        left[i, DEGREE] = (-1) ** i
        right[i] = 1 - 1 / mpf(2) ** f
    numbers = list(lu_solve(left, right))[:DEGREE]
    found = extremes(numbers)
    sizes = [abs(e) for _, e in found]
    if len(found) <= DEGREE or max(sizes) < 1.001 * min(sizes):
        break
    places = [f for f, _ in found]
print("relative error", nstr(max(sizes), 3))
for number in numbers:
    print(repr(float(number)))
