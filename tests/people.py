"""A table of persons who do not exist, as a stranger's would be."""

from __future__ import annotations

import pandas as pd
from faker import Faker


def people(n: int) -> pd.DataFrame:
    """Return n customers of one country."""
    fake = Faker("de_DE")
    fake.seed_instance(11)
    rows = []
    for number in range(1, n + 1):
        first, last = fake.first_name(), fake.last_name()
        rows.append(
            {
                "customer_id": f"K-{number:06d}",
                "first_name": first,
                "last_name": last,
                "email": f"{fake.user_name()}{number}@web.de",
                "iban": fake.iban(),
                "age": fake.random_int(18, 90),
                "city": fake.random_element(["Ulm", "Bonn", "Trier"]),
            }
        )
    return pd.DataFrame(rows)
