"""Our own digital calibration certificates of energy meters: ``python tests/cases/certificates/build.py`` writes them.

Everything in them is invented for the tests: laboratories, people, numbers, values. Templates only; no product code.
"""

from pathlib import Path

HERE = Path(__file__).parent
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def named(tag, text):
    return f'<dcc:{tag}><dcc:content lang="en">{text}</dcc:content></dcc:{tag}>'


def identifications(**values):
    each = "".join(
        f"<dcc:identification><dcc:issuer>{issuer}</dcc:issuer><dcc:value>{value}</dcc:value></dcc:identification>"
        for issuer, value in values.items()
    )
    return f"<dcc:identifications>{each}</dcc:identifications>"


def contact(name):
    return (
        named("name", name)
        + "<dcc:eMail>nobody@example.invalid</dcc:eMail>"
        + "<dcc:location><dcc:city>Nowhere</dcc:city><dcc:countryCode>CN</dcc:countryCode></dcc:location>"
    )


def item(name, model, ids, *, class_id="", quantities="", sub_items=""):
    return (
        "<dcc:item>"
        + named("name", name)
        + (
            f"<dcc:equipmentClass><dcc:reference>invented</dcc:reference><dcc:classID>{class_id}</dcc:classID>"
            "</dcc:equipmentClass>"
            if class_id
            else ""
        )
        + f"<dcc:manufacturer>{named('name', 'Invented Meters')}</dcc:manufacturer><dcc:model>{model}</dcc:model>"
        + identifications(**ids)
        + (f"<dcc:itemQuantities>{quantities}</dcc:itemQuantities>" if quantities else "")
        + (f"<dcc:subItems>{sub_items}</dcc:subItems>" if sub_items else "")
        + "</dcc:item>"
    )


def real(value, unit, extra=""):
    return f"<si:real><si:value>{value}</si:value><si:unit>{unit}</si:unit>{extra}</si:real>"


def reals(values, unit, extra=""):
    return (
        f"<si:realListXMLList><si:valueXMLList>{values}</si:valueXMLList>"
        f"<si:unitXMLList>{unit}</si:unitXMLList>{extra}</si:realListXMLList>"
    )


def new_uncertainty(expanded, k):
    return (
        "<si:measurementUncertaintyUnivariateXMLList><si:expandedMUXMLList>"
        f"<si:valueExpandedMUXMLList>{expanded}</si:valueExpandedMUXMLList>"
        f"<si:coverageFactorXMLList>{k}</si:coverageFactorXMLList>"
        "<si:coverageProbabilityXMLList>0.95</si:coverageProbabilityXMLList>"
        "</si:expandedMUXMLList></si:measurementUncertaintyUnivariateXMLList>"
    )


def old_uncertainty(expanded, k):
    return (
        f"<si:expandedUncXMLList><si:uncertaintyXMLList>{expanded}</si:uncertaintyXMLList>"
        f"<si:coverageFactorXMLList>{k}</si:coverageFactorXMLList>"
        "<si:coverageProbabilityXMLList>0.95</si:coverageProbabilityXMLList></si:expandedUncXMLList>"
    )


def old_scalar_uncertainty(expanded, k):
    return (
        f"<si:expandedUnc><si:uncertainty>{expanded}</si:uncertainty><si:coverageFactor>{k}</si:coverageFactor>"
        "<si:coverageProbability>0.95</si:coverageProbability></si:expandedUnc>"
    )


def quantity(ref_type, body, metadata="", tag="quantity"):
    mark = f' refType="{ref_type}"' if ref_type else ""
    return f"<dcc:{tag}{mark}>{body}{metadata}</dcc:{tag}>"


def table(*quantities):
    return "<dcc:data><dcc:list>" + "".join(quantities) + "</dcc:list></dcc:data>"


def standard(name, serial, link=""):
    return (
        '<dcc:measuringEquipment refType="basic_normalUsed">'
        + named("name", name)
        + link
        + identifications(manufacturer=serial)
        + "</dcc:measuringEquipment>"
    )


def link(number, issuer, procedure="analogue", value="paper", further=""):
    return (
        named("referral", issuer)
        + f"<dcc:referralID>{number}</dcc:referralID><dcc:procedure>{procedure}</dcc:procedure>"
        + f"<dcc:value>{value}</dcc:value>{further}"
    )


def certificate(version, number, day, items, results, *, core="", statements=""):
    return (
        HEAD
        + '<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" xmlns:si="https://ptb.de/si" '
        + f'schemaVersion="{version}"><dcc:administrativeData><dcc:dccSoftware><dcc:software>'
        + named("name", "case builder")
        + "<dcc:release>1</dcc:release></dcc:software></dcc:dccSoftware><dcc:coreData>"
        + "<dcc:countryCodeISO3166_1>CN</dcc:countryCodeISO3166_1>"
        + "<dcc:usedLangCodeISO639_1>en</dcc:usedLangCodeISO639_1>"
        + "<dcc:mandatoryLangCodeISO639_1>en</dcc:mandatoryLangCodeISO639_1>"
        + f"<dcc:uniqueIdentifier>{number}</dcc:uniqueIdentifier>"
        + f"<dcc:beginPerformanceDate>{day}</dcc:beginPerformanceDate>"
        + f"<dcc:endPerformanceDate>{day}</dcc:endPerformanceDate>"
        + f"<dcc:performanceLocation>laboratory</dcc:performanceLocation>{core}</dcc:coreData>"
        + f"<dcc:items>{items}</dcc:items><dcc:calibrationLaboratory>"
        + "<dcc:calibrationLaboratoryCode>LAB-0001</dcc:calibrationLaboratoryCode>"
        + f"<dcc:contact>{contact('Invented Calibration Laboratory')}</dcc:contact></dcc:calibrationLaboratory>"
        + f"<dcc:respPersons><dcc:respPerson><dcc:person>{named('name', 'A. Tester')}</dcc:person>"
        + "<dcc:mainSigner>true</dcc:mainSigner></dcc:respPerson></dcc:respPersons>"
        + f"<dcc:customer>{contact('Invented Works')}</dcc:customer>"
        + (f"<dcc:statements>{statements}</dcc:statements>" if statements else "")
        + "</dcc:administrativeData><dcc:measurementResults><dcc:measurementResult>"
        + named("name", "Results")
        + results
        + "</dcc:measurementResult></dcc:measurementResults></dcc:digitalCalibrationCertificate>\n"
    )


def result(body):
    return f"<dcc:results><dcc:result>{named('name', 'Errors')}{body}</dcc:result></dcc:results>"


def electricity():
    """3.3.0: a meter with CT and PT, errors in percent, adjusted: as found and as left, a chain of two certificates."""
    ratio = quantity("invented_ratio", named("name", "Ratio") + real("40", r"\one"), tag="itemQuantity")
    items = item(
        "Electricity meter",
        "DTS-1",
        {"manufacturer": "E-000451", "customer": "M-E1"},
        class_id="0.5S",
        sub_items=item("CT", "LZZ", {"manufacturer": "CT-77"}, class_id="0.2S", quantities=ratio)
        + item("PT", "JDZ", {"manufacturer": "PT-78"}, class_id="0.2"),
    )
    higher = f"<dcc:linkedReport>{link('NIM-2025-9', 'Invented Institute')}</dcc:linkedReport>"
    further = "<dcc:inValidityRange>true</dcc:inValidityRange><dcc:traceable>true</dcc:traceable>" + higher
    equipment = standard(
        "Reference meter",
        "REF-1",
        f"<dcc:certificate>{link('STD-2026-4', 'Upper Laboratory', further=further)}</dcc:certificate>",
    )
    limits = (
        '<dcc:measurementMetaData><dcc:metaData refType="basic_conformity">'
        "<dcc:conformityXMLList>pass pass pass</dcc:conformityXMLList><dcc:data>"
        + quantity("basic_acceptanceLimitLower", reals("-0.5", r"\percent"))
        + quantity("basic_acceptanceLimitUpper", reals("0.5", r"\percent"))
        + "</dcc:data></dcc:metaData></dcc:measurementMetaData>"
    )
    found = (
        f'<dcc:influenceCondition refType="basic_adjustment">{named("name", "Adjustment")}'
        "<dcc:status>beforeAdjustment</dcc:status>"
        + table(
            quantity("basic_referenceValue", reals("0.05 1 6", r"\ampere")),
            quantity(
                "basic_measurementError",
                reals("0.9 0.8 0.75", r"\percent", new_uncertainty("0.08", "2")),
                limits.replace("pass", "fail"),
            ),
        )
        + "</dcc:influenceCondition>"
    )
    left = table(
        quantity("basic_referenceValue", reals("0.05 1 6", r"\ampere")),
        quantity(
            "basic_measurementError",
            reals("0.21 -0.12 0.05", r"\percent", new_uncertainty("0.10 0.08 0.08", "2")),
            limits,
        ),
    )
    statements = (
        '<dcc:statement refType="basic_conformity"><dcc:conformity>pass</dcc:conformity></dcc:statement>'
        '<dcc:statement refType="basic_recalibration"><dcc:date>2027-03-02</dcc:date></dcc:statement>'
        '<dcc:statement refType="basic_validityRange"><dcc:data>'
        + quantity("basic_validityRangeMin", real("0.05", r"\ampere"))
        + quantity("basic_validityRangeMax", real("6", r"\ampere"))
        + "</dcc:data></dcc:statement>"
    )
    results = (
        f"<dcc:measuringEquipments>{equipment}</dcc:measuringEquipments>"
        f"<dcc:influenceConditions>{found}</dcc:influenceConditions>{result(left)}"
    )
    return certificate("3.3.0", "EM-2026-0042", "2026-03-03", items, results, statements=statements)


def gas():
    """3.2.1: volumes in the older encoding, a failure; it substitutes an earlier certificate."""
    items = item("Gas meter", "G65", {"manufacturer": "G-65-9", "customer": "M-G1"}, class_id="1.0")
    core = (
        "<dcc:reportAmendedSubstituted><dcc:typeOfChange>substituted</dcc:typeOfChange>"
        "<dcc:replacedUniqueIdentifier>GM-2026-0007</dcc:replacedUniqueIdentifier></dcc:reportAmendedSubstituted>"
    )
    body = table(
        quantity("basic_referenceValue", reals("10.000 40.000", r"\metre\tothe{3}")),
        quantity("basic_measuredValue", reals("10.130 40.600", r"\metre\tothe{3}")),
        quantity(
            "basic_measurementError", reals("0.130 0.600", r"\metre\tothe{3}", old_uncertainty("0.020 0.080", "2.1"))
        ),
    )
    statements = '<dcc:statement refType="basic_conformity"><dcc:conformity>fail</dcc:conformity></dcc:statement>'
    results = f"<dcc:measuringEquipments>{standard('Bell prover', 'BP-3')}</dcc:measuringEquipments>{result(body)}"
    return certificate("3.2.1", "GM-2026-0008", "2026-04-10", items, results, core=core, statements=statements)


def heat():
    """3.0.0: scalars of the oldest encoding, reference and indication only."""
    items = item("Heat meter", "HC-2", {"manufacturer": "H-12"})
    body = (
        "<dcc:data>"
        + (
            quantity("basic_referenceValue", named("name", "Heat") + real("50.00", r"\kilo\watt\hour"))
            + quantity(
                "basic_measuredValue",
                named("name", "Heat") + real("50.60", r"\kilo\watt\hour", old_scalar_uncertainty("0.25", "2")),
            )
        )
        + "</dcc:data>"
    )
    return certificate("3.0.0", "HM-2026-0003", "2026-05-20", items, result(body))


CASES = {"electricity.xml": electricity, "gas.xml": gas, "heat.xml": heat}

if __name__ == "__main__":
    for name, build in CASES.items():
        (HERE / name).write_text(build(), encoding="utf-8")
