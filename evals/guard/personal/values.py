"""Values for the evaluation, drawn at random: valid ones, and near misses that a check or a rule tells apart."""

import random
import string

CARDS = ("4", "51", "53", "62", "6222", "37", "2221", "3530")
REGIONS = ("110105", "310115", "440305", "330106", "510107", "420111")
SOCIAL = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def digits(r: random.Random, count: int) -> str:
    """Random digits."""
    return "".join(r.choices(string.digits, k=count))


def _luhn_digit(stem: str) -> str:
    total = 0
    for place, character in enumerate(reversed(stem)):
        number = int(character) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return str(-total % 10)


def other(r: random.Random, value: str, allowed: str = string.digits) -> str:
    """`value` with another last character."""
    return value[:-1] + r.choice([c for c in allowed if c != value[-1]])


def card(r: random.Random, *, valid: bool) -> str:
    prefix = r.choice(CARDS)
    length = 15 if prefix == "37" else r.choice((16, 19)) if prefix.startswith("62") else 16
    stem = prefix + digits(r, length - len(prefix) - 1)
    value = stem + _luhn_digit(stem)
    value = value if valid else other(r, value)
    return " ".join(value[n : n + 4] for n in range(0, 16, 4)) if length == 16 and r.random() < 0.5 else value


def resident(r: random.Random, *, valid: bool) -> str:
    stem = f"{r.choice(REGIONS)}{r.randint(1950, 2005)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}{digits(r, 3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    value = stem + "10X98765432"[sum(int(c) * w for c, w in zip(stem, weights, strict=True)) % 11]
    value = value if valid else other(r, value)
    if valid and r.random() < 0.2:
        return f"{value[:6]} {value[6:14]} {value[14:]}"
    return value


def mobile(r: random.Random, *, valid: bool) -> str:
    value = (r.choice(("13", "15", "18", "17", "19")) if valid else r.choice(("10", "11", "12"))) + digits(r, 9)
    value = value[:2] + r.choice("0123578" if value[1] in "357" else "0123456789"[1:4]) + value[3:]
    return f"{value[:3]}-{value[3:7]}-{value[7:]}" if r.random() < 0.25 else value


def company(r: random.Random, *, valid: bool) -> str:
    code = "".join(r.choices(SOCIAL, k=8))
    total = sum(int(c, 36) * w for c, w in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    value = f"91{r.choice(REGIONS)}{code}{'0123456789X0'[11 - total % 11]}"
    total = sum(SOCIAL.index(c) * pow(3, place, 31) for place, c in enumerate(value))
    value += SOCIAL[-total % 31]
    return value if valid else other(r, value, SOCIAL)


def plate(r: random.Random, *, valid: bool) -> str:
    head = r.choice("京沪粤浙川鄂") + r.choice("ABCDE")
    return head + (digits(r, 5) if valid and r.random() < 0.5 else f"D{digits(r, 5)}" if valid else "ABCDE")


def iban(r: random.Random, *, valid: bool) -> str:
    country, size = r.choice((("DE", 18), ("FR", 23), ("ES", 20), ("NL", 0)))
    body = digits(r, size) if size else "ABNA" + digits(r, 10)
    check = 98 - int("".join(str(int(c, 36)) for c in body + country + "00")) % 97
    value = f"{country}{(check if valid else check % 97 + 1):02d}{body}"
    return " ".join(value[n : n + 4] for n in range(0, len(value), 4)) if r.random() < 0.5 else value


def email(r: random.Random, *, valid: bool) -> str:
    name = r.choice(("li.wei", "zhang_san88", "j.smith", "anna+news", "wang"))
    return (
        f"{name}{r.randint(1, 99)}@{r.choice(('qq.com', '163.com', 'gmail.com', 'acme-corp.co.uk'))}" if valid else f"{name}@2x.png"
    )


def ssn(r: random.Random, *, valid: bool) -> str:
    area = r.choice([n for n in range(1, 900) if n != 666]) if valid else r.choice((0, 666))
    return f"{area:03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}"


def world_phone(r: random.Random, *, valid: bool) -> str:
    if not valid:
        return f"+{digits(r, 3)}"
    return r.choice(
        (
            f"+44 20 7946 {digits(r, 4)}",
            f"+1 415 555 {digits(r, 4)}",
            f"(415) 555-{digits(r, 4)}",
            f"+86 138 {digits(r, 4)} {digits(r, 4)}",
        )
    )


def address(r: random.Random, *, valid: bool) -> str:
    top = r.choice(("浙江省杭州市西湖区", "北京市海淀区", "广东省深圳市南山区", "成都市武侯区"))
    road = r.choice(("文三路", "中关村大街", "科技南一路", "人民南路四段"))
    return f"{top}{road}{r.randint(1, 999)}号{r.choice(('', f'{r.randint(1, 9)}栋{r.randint(101, 909)}室'))}" if valid else top


def ip(r: random.Random, *, valid: bool) -> str:
    return (
        f"{r.choice((93, 101, 183, 202))}.{r.randint(40, 254)}.{r.randint(0, 254)}.{r.randint(1, 254)}"
        if valid
        else f"{r.randint(256, 999)}.1.2.3"
    )


def nino(r: random.Random, *, valid: bool) -> str:
    value = (
        f"{r.choice(('AB', 'JK', 'SW', 'CE')) if valid else 'BG'} {digits(r, 2)} {digits(r, 2)} {digits(r, 2)} {r.choice('ABCD')}"
    )
    return value if r.random() < 0.5 else value.replace(" ", "")


def cpf(r: random.Random, *, valid: bool) -> str:
    value = digits(r, 9)
    for start in (10, 11):
        rest = sum(int(c) * w for c, w in zip(value, range(start, 1, -1), strict=True)) % 11
        value += "0" if rest < 2 else str(11 - rest)
    value = value if valid else other(r, value)
    return f"{value[:3]}.{value[3:6]}.{value[6:9]}-{value[9:]}"


def bitcoin(r: random.Random, *, valid: bool) -> str:
    known = (
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    )
    value = r.choice(known)
    return value if valid else value[:-2] + "".join(r.choices("acdefghj", k=2))


KINDS = {
    "card": card,
    "cn-resident-id": resident,
    "cn-mobile": mobile,
    "cn-company": company,
    "cn-plate": plate,
    "iban": iban,
    "email": email,
    "us-ssn": ssn,
    "phone-world": world_phone,
    "cn-address": address,
    "ip-address": ip,
    "uk-nino": nino,
    "br-cpf": cpf,
    "crypto": bitcoin,
}
CHECKED = frozenset(KINDS) - {"phone-world"}
