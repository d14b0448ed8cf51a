"""Invented report texts in which everything that identifies is marked: ``⟦kind|text⟧``. Nobody in them exists.

Written by hand before the patterns were tried on them. ``ENGLISH`` and ``GERMAN`` hold what hospitals write;
``MEDICAL`` holds what looks like a name, a date or a number and is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"⟦(\w+)\|([^⟧]*)⟧")


@dataclass(frozen=True)
class Labelled:
    """A text without marks, and (kind, start, end) of what identifies in it."""

    text: str
    spans: tuple[tuple[str, int, int], ...]


def read(marked: str) -> Labelled:
    """Take the marks out and remember where they were."""
    text, spans, last = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[last : mark.start()]
        spans.append((mark[1], len(text), len(text) + len(mark[2])))
        text += mark[2]
        last = mark.end()
    return Labelled(text + marked[last:], tuple(spans))


ENGLISH = (
    "Patient: ⟦name|John Smith⟧\nDOB: ⟦date|03/12/1951⟧\nMRN: ⟦number|00482913⟧\n\nFINDINGS: A 3.2 cm mass in segment 8.",  # noqa: E501
    "PATIENT NAME: ⟦name|DOE, JANE A⟧   ACCESSION NO: ⟦number|S-19-012345⟧   SEX: F",
    "Dear ⟦name|Dr. Miller⟧, thank you for referring ⟦name|Mrs Eleanor Whitfield⟧, seen on ⟦date|14 March 2018⟧.",
    "The specimen was received on ⟦date|March 9, 2017⟧ labelled ⟦name|Mr. O'Brien⟧ and consists of a wedge of liver.",
    "Electronically signed by ⟦name|Susan B. Kowalski, MD⟧ on ⟦date|2016-11-02⟧ at 14:32.",
    "Compared with CT of ⟦date|2019/04/30⟧ the lesion has grown from 21 to 34 mm. No ascites.",
    "For questions call ⟦phone|(617) 555-0142⟧ or write to ⟦email|pathology.desk@stmary-hospital.example⟧.",
    "Lives at ⟦address|48 Maple Avenue⟧, ⟦address|Springfield, IL 62704⟧ with his wife ⟦name|Margaret Jones⟧.",
    "Social security number ⟦number|078-05-1120⟧; insurance no. ⟦number|XGH204417789⟧.",
    "NHS number: ⟦number|943 476 5919⟧. GP: ⟦name|Dr A. Patel⟧, tel ⟦phone|020 7946 0018⟧.",
    "Dictated by: ⟦name|R. Thompson, M.D.⟧  Transcribed ⟦date|12-Mar-2015⟧",
    "HISTORY: 67-year-old man with hepatitis C. Prior biopsy (⟦number|SP-14-20871⟧) showed HCC.",
    "A ⟦age|93-year-old⟧ woman. Previous resection ⟦date|05/2011⟧ elsewhere.",
    "Referring physician: ⟦name|Helen van der Berg⟧. Copy to fax ⟦phone|+1 415 555 0199⟧.",
    "Hospital number ⟦number|K 774210⟧. Slides reviewed with ⟦name|Professor Nakamura⟧ at the tumour board.",
    "Case number: ⟦number|2018-004512⟧. Specimen A: liver, segment 4b, resection. Specimen B: gallbladder.",
    "His daughter ⟦name|Laura Benson⟧ was informed by ⟦name|Nurse Hopkins⟧ on ⟦date|1/7/20⟧.",
    "Policy number: ⟦number|AB-55120934⟧\nAddress: ⟦address|P.O. Box 1187⟧",
    "Signed out by ⟦name|Dr. med. Ulrich Stein⟧ ⟦date|30.06.2014⟧ 08:15",
    "Follow-up MRI ⟦date|September 2020⟧ without recurrence; AFP 4.1 ng/ml on ⟦date|21st of January 2021⟧.",
    "Mobile: ⟦phone|07700 900123⟧. Postcode ⟦address|SW1A 1AA⟧.",
    "Seen by Smith in clinic, ⟦name|J. Smith⟧ agrees.",
    "Study date ⟦date|20190412⟧, CT abdomen, three phases.",
    "Attending: ⟦name|Carlos Ruiz⟧; resident: ⟦name|Mei-Ling Chen⟧.",
)  # fmt: skip

GERMAN = (
    "Patient: ⟦name|Müller, Hans-Peter⟧, geb. ⟦date|12.03.1948⟧\nFallnummer: ⟦number|4711-0815⟧\nBefund: Raumforderung in S7.",  # noqa: E501
    "Sehr geehrter Herr Kollege ⟦name|Dr. Schäfer⟧, wir berichten über ⟦name|Frau Ilse Brandt⟧, die am ⟦date|3. Mai 2017⟧ kam.",  # noqa: E501
    "Wohnhaft ⟦address|Gartenstraße 17a⟧, ⟦address|72074 Tübingen⟧. Tel. ⟦phone|07071/29-12345⟧.",
    "Versichertennummer: ⟦number|A123456780⟧ (AOK). Patientennummer ⟦number|00098321⟧.",
    "Histologie-Nr.: ⟦number|H/2019/04512⟧, Eingang ⟦date|01.02.19⟧, Ausgang ⟦date|4.2.2019⟧.",
    "gez. ⟦name|Prof. Dr. med. K. von Weizenfeld⟧",
    "Überweiser: ⟦name|Dr. Nguyen⟧, ⟦address|Am Marktplatz 3⟧, E-Mail ⟦email|praxis@nguyen-beispiel.de⟧",
    "Name, Vorname: ⟦name|Öztürk, Ayşe⟧   Geburtsdatum: ⟦date|07-11-1962⟧",
    "Die Voraufnahme vom ⟦date|17. Oktober 2018⟧ zeigt einen Herd von 2,1 cm. ⟦name|Herr Lehmann⟧ ist beschwerdefrei.",
    "Befundet von ⟦name|Dr. Anna-Lena Vogt⟧, freigegeben ⟦date|2020-02-29⟧.",
    "Vergleich mit CT vom ⟦date|12.03.⟧ und MRT vom ⟦date|05/2016⟧: konstanter Befund.",
    "Der ⟦age|94-jährige⟧ Patient, Aufnahmenummer ⟦number|16/332211⟧, wurde am ⟦date|9. Sept. 2015⟧ entlassen.",
    "Unterschrift: ⟦name|PD Dr. Krüger⟧. Rückfragen: Telefon ⟦phone|+49 (0)7071 2985555⟧.",
    "Seine Ehefrau ⟦name|Sabine Hartmann⟧ wurde informiert. Journal-Nr. ⟦number|E 12345/18⟧",
    "Krankenkasse: TK, Versicherungsnummer ⟦number|65 170839 J 008⟧.",
    "Schwester ⟦name|Monika Abel⟧ hat die Probe am ⟦date|11. 8. 2016⟧ entgegengenommen.",
    "Postleitzahl und Ort: ⟦address|10117 Berlin⟧",
    "Patientin: ⟦name|Brigitte Sommer⟧. Klinik: Leberzirrhose Child A.",
)  # fmt: skip

MEDICAL = (
    "Liver, segment 8, resection: moderately differentiated hepatocellular carcinoma, 3.2 x 2.8 x 2.5 cm.",
    "Edmondson-Steiner grade III. Child-Pugh A. Barcelona stage A. Milan criteria fulfilled. Ishak score 6/6.",
    "Lymph nodes 0/12. Margins negative (0.3 cm). pT2 pN0 (0/12) pMX. UICC stage II, 8th edition 2017.",
    "Ki-67 30 %. CD34 positive, Glypican-3 positive, Arginase-1 positive, CK7 and CK19 negative. HepPar-1 patchy.",
    "ICD-O 8170/3, SNOMED T-56000 M-81703. WHO classification 2019. ICD-10 C22.0.",
    "AFP 1,204 ng/ml, bilirubin 1.1 mg/dl, platelets 143 000/ul, INR 1.2, pH 7.35 - 7.45. Blood pressure 120/80.",
    "Received fresh is a 1250 g right hepatectomy specimen measuring 18.0 x 14.5 x 9.2 cm. Cassettes A1-A12.",
    "Diagnosis: A. Liver, left lobe. B. Gallbladder. C. Portal Lymph Node. Comment: see Microscopic Description.",
    "Patient: male, 61 years. Clinical history: cirrhosis, hepatitis B since childhood. Name of organ: liver.",
    "Immunohistochemistry performed by Ventana Benchmark; reviewed by the tumor board. Masson Trichrome, Prussian Blue.",  # noqa: E501
    "Arterial phase 35 s, portal venous phase 70 s, delayed 180 s. Slice 2.5 mm, 120 kV, 200 mAs, CTDI 12.4.",
    "Kupffer cells, Mallory bodies, Glisson capsule, Couinaud segment 4a, Hounsfield units 35-45, Budd-Chiari excluded.",  # noqa: E501
    "Leber: 18 cm in der MCL. Raumforderung in Segment 7, 2,1 x 1,8 cm, Washout. LI-RADS 5. Kein Aszites.",
    "Mitosen 12/10 HPF. Fibrose nach Desmet 3. Steatose 10 %. Gefäßinvasion V1, Perineuralscheide Pn0. R0.",
    "Klinische Angaben: Leberzirrhose Child B, Z. n. TACE 2015, Hepatitis C Genotyp 3. Frau mit Diabetes mellitus.",
    "Material: Leber, Segment 5/6. Makroskopie: 85 g schweres Resektat, Schnittflächen gelb. Herr der Lage bleibt 20000 Zellen.",  # noqa: E501
    "MR of the liver with Gd-EOB. Dr consulted. The patient is well; 4 of 12 portal tracts. Ratio 1.2.3 not used.",
    "Seen in March with a lesion of 12 mm; no change within 10-12 months. Score 3-4-5. Section 2.10 of the protocol.",
)  # fmt: skip
