# SPDX-License-Identifier: GPL-2.0-only
import dataclasses
@dataclasses.dataclass
class Decision:
    name: str
    reason: str
    test: object
    ends: bool = False
TABLE = []
BY_NAME = {d.name: d for d in TABLE}
def find(d):
    return None
