"""Simulates the data of the four examples that `carryout train` learns from. Nothing here was measured.

    python examples/simulate.py        (Python 3.9 or later, standard library; the same files every time)

Each folder gets a file to train on and rows.csv, later rows of the same simulation: the page predicts those, and
where they carry the answer too, it says how well.
"""
import csv
import math
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

HERE = Path(__file__).parent


def write(folder, name, rows):
    path = HERE / folder
    path.mkdir(exist_ok=True)
    with open(path / name, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def pick(chance, choices):
    """One of (value, weight)."""
    at = chance.random() * sum(weight for _, weight in choices)
    for value, weight in choices:
        at -= weight
        if at < 0:
            break
    return value


def taxi_rides():
    """Three kinds of rides, and one in sixty that is none: a meter left running, a distance that nobody drives so fast."""
    chance = Random(1)

    def ride(number):
        kind = pick(chance, [("city", 60), ("across", 28), ("airport", 12)])
        distance, speed = {
            "city": (abs(chance.gauss(2.6, 0.9)) + 0.5, 16),
            "across": (chance.gauss(7.5, 1.2), 21),
            "airport": (chance.gauss(21, 0.9), 38),
        }[kind]
        hour = int(pick(chance, [(h, 2 + 3 * math.exp(-((h - 8.5) ** 2) / 4) + 4 * math.exp(-((h - 18) ** 2) / 6)) for h in range(24)]))
        traffic = 1 + 0.25 * math.exp(-((hour - 8.5) ** 2) / 3) + 0.3 * math.exp(-((hour - 17.5) ** 2) / 4)
        minutes = distance / speed * 60 * traffic * math.exp(chance.gauss(0, 0.09)) + 2
        odd = chance.random() < 1 / 60
        if odd:
            if chance.random() < 0.55:
                minutes += chance.uniform(35, 110)
            else:
                distance += chance.uniform(12, 30)
        start = datetime(2026, 3, 2, hour, chance.randrange(60)) + timedelta(days=number // 60)
        return {"ride": f"R{number:05}", "pickup": start.strftime("%Y-%m-%d %H:%M"), "distance_km": round(distance, 2),
                "minutes": round(minutes, 1)}

    rides = [ride(number) for number in range(2000)]
    write("taxi-rides", "rides.csv", rides[:1500])
    write("taxi-rides", "rows.csv", rides[1500:])


def loan_applications():
    """Who defaults: a logistic rule in eight columns, some two in nine default, gaps in the income."""
    chance = Random(2)

    def application(number):
        employment = pick(chance, [("employed", 62), ("self-employed", 18), ("retired", 11), ("unemployed", 9)])
        age = round(min(82, max(19, chance.gauss(68, 6) if employment == "retired" else chance.gauss(40, 11))))
        base = {"employed": 10.6, "self-employed": 10.5, "retired": 10.1, "unemployed": 9.5}[employment]
        income = math.exp(chance.gauss(base, 0.45))
        years = 0 if employment in ("retired", "unemployed") else min(age - 18, int(chance.expovariate(1 / 6)))
        purpose = pick(chance, [("car", 30), ("home improvement", 24), ("debt consolidation", 28), ("business", 10), ("other", 8)])
        amount = round(min(60000, math.exp(chance.gauss(9.2, 0.6))), -2)
        term = pick(chance, [(24, 20), (36, 40), (48, 15), (60, 25)])
        ratio = min(0.95, max(0, chance.gauss(0.32, 0.15)) + (0.08 if purpose == "debt consolidation" else 0))
        late = pick(chance, [("never", 74), ("once", 17), ("several times", 9)])
        burden = amount / term * 12 / income
        risk = -3.55 + 3.2 * ratio + 5.0 * min(burden, 0.6) - 0.05 * years
        risk += {"never": 0, "once": 0.9, "several times": 2.0}[late]
        risk += {"employed": 0, "self-employed": 0.35, "retired": -0.3, "unemployed": 0.9}[employment]
        risk += {"business": 0.5, "debt consolidation": 0.2}.get(purpose, 0)
        defaulted = chance.random() < 1 / (1 + math.exp(-risk))
        return {"application": f"L{number:05}", "age": age, "employment": employment, "years_employed": years,
                "income": "" if chance.random() < 0.05 else round(income), "debt_ratio": round(ratio, 3),
                "late_payments": late, "purpose": purpose, "amount": int(amount), "term_months": term,
                "outcome": "defaulted" if defaulted else "repaid"}

    rows = [application(number) for number in range(3600)]
    write("loan-applications", "applications.csv", rows[:3000])
    write("loan-applications", "rows.csv", rows[3000:])


def arrival_time():
    """Minutes until a delivery arrives: distance over a speed that road, hour, weather and vehicle change, and stops."""
    chance = Random(3)

    def trip(number):
        vehicle = pick(chance, [("van", 50), ("car", 30), ("cargo bike", 20)])
        road = "city" if vehicle == "cargo bike" else pick(chance, [("city", 50), ("ring road", 30), ("motorway", 20)])
        distance = {"city": chance.uniform(0.5, 9), "ring road": chance.uniform(4, 22), "motorway": chance.uniform(10, 60)}[road]
        distance = min(distance, 6) if vehicle == "cargo bike" else distance
        hour = chance.randrange(6, 22)
        weekday = pick(chance, [(day, 1) for day in ("Mon", "Tue", "Wed", "Thu", "Fri")] + [("Sat", 0.6), ("Sun", 0.3)])
        weather = pick(chance, [("clear", 60), ("rain", 27), ("fog", 7), ("snow", 6)])
        stops = min(8, int(chance.expovariate(1 / 2.2)))
        experience = round(min(25, chance.expovariate(1 / 4)), 1)
        speed = {"city": 24, "ring road": 48, "motorway": 88}[road] if vehicle != "cargo bike" else 17
        rush = math.exp(-((hour - 8) ** 2) / 3) + math.exp(-((hour - 17) ** 2) / 4)
        if weekday not in ("Sat", "Sun") and vehicle != "cargo bike":
            speed /= 1 + 0.75 * rush * {"city": 1, "ring road": 1.1, "motorway": 0.5}[road]
        speed *= {"clear": 1, "rain": 0.88, "fog": 0.85, "snow": 0.66}[weather]
        minutes = distance / speed * 60 + stops * (3.2 + 2.5 * math.exp(-experience / 3)) + 2
        minutes *= math.exp(chance.gauss(0, 0.07))
        return {"trip": f"T{number:05}", "distance_km": round(distance, 1), "road": road, "vehicle": vehicle,
                "weekday": weekday, "hour": hour, "weather": weather, "stops": stops,
                "driver_years": "" if chance.random() < 0.08 else experience, "minutes": round(minutes, 1)}

    rows = [trip(number) for number in range(2900)]
    write("arrival-time", "trips.csv", rows[:2500])
    write("arrival-time", "rows.csv", rows[2500:])


def energy_consumption():
    """The hourly consumption of an office building: a week's rhythm, heating, cooling, and what carries over."""
    chance = Random(4)
    start = datetime(2025, 11, 3)
    used, warm, drift, rows = [], [], 0.0, []
    holidays = {datetime(2025, 12, 25).date(), datetime(2025, 12, 26).date(), datetime(2026, 1, 1).date()}
    for number in range(24 * 7 * 22):
        time = start + timedelta(hours=number)
        day = number / 24
        drift = 0.995 * drift + chance.gauss(0, 0.28)
        temperature = 6 - 7 * math.cos((day - 75) / 365 * 2 * math.pi) + 4 * math.sin((time.hour - 9) / 24 * 2 * math.pi) + drift
        works = time.weekday() < 5 and time.date() not in holidays
        people = math.exp(-((time.hour - 13) ** 2) / 18) if works else 0.08
        level = 42 + 95 * people + 2.1 * max(0, 16 - temperature) + 4.0 * max(0, temperature - 21) * people
        carried = used[-1] - warm[-1] if used else 0
        kwh = level + 0.55 * carried + chance.gauss(0, 3.2)
        used.append(kwh)
        warm.append(level)
        if number >= 168:
            rows.append({"time": time.strftime("%Y-%m-%d %H:%M"), "hour": time.hour,
                         "weekday": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[time.weekday()],
                         "holiday": "yes" if time.date() in holidays else "no", "temperature": round(temperature, 1),
                         "kwh_1h_ago": round(used[-2], 1), "kwh_24h_ago": round(used[-25], 1),
                         "kwh_7d_ago": round(used[-169], 1), "kwh": round(kwh, 1)})
    write("energy-consumption", "hours.csv", rows[:-336])
    write("energy-consumption", "rows.csv", rows[-336:])


taxi_rides()
loan_applications()
arrival_time()
energy_consumption()
