"""Phone numbers as people write them, turned into numbers that a message can be sent to. Pure.

>>> from devinotify import phones
>>> phones.normalize("8 (916) 123-45-67", region="RU").digits
'79161234567'
"""

from devinotify.phones.number import Kind, PhoneNumber, is_e164
from devinotify.phones.recipients import NormalizedMany, gateway_digits, normalize, normalize_many, time_zones
from devinotify.phones.refusal import Reason

__all__ = [
    "Kind",
    "NormalizedMany",
    "PhoneNumber",
    "Reason",
    "gateway_digits",
    "is_e164",
    "normalize",
    "normalize_many",
    "time_zones",
]
