# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of people, departments, places and companies for generated tenants. Domains are those kept for examples."""

from __future__ import annotations

from m365_simulator.words import words

GIVEN_NAMES = words(
    """
    Aaliyah Adam Agnes Ahmed Aisha Alba Amara Amir Ana Anders Anouk Aylin Beatriz Bilal Bram Camille Carlos Chen
    Chloe Daan Daniel Dilan Eline Elif Emma Erik Esra Fatima Femke Finn Freya Giulia Hanna Hassan Hugo Ines
    Ingrid Isa Ivan Jade Jan Jonas Julia Kai Karim Kofi Lars Laura Leila Lena Liam Linh Lotte Lucas Luca Maja
    Malik Maria Marta Mateo Mei Mila Mohamed Nadia Naomi Nina Noah Nora Olga Omar Oscar Pablo Petra Priya Rania
    Ravi Ruben Sanne Sara Sem Sofia Soren Stijn Sven Tariq Tess Thomas Tim Tuan Vera Viktor Wanda Wei Yara Yusuf
    Zoe
    """
)

SURNAMES = words(
    """
    Abbas Adeyemi Ali Andersen Bakker Bauer Berg Bianchi Bos Brouwer Chen Costa Dekker Demir Diaz Dijkstra
    Dubois Ferrari Fischer Garcia Gomez Haddad Hansen Hendriks Hoffmann Huang Ibrahim Ivanov Jansen Johansson
    Kaya Keller Khan Kim Klein Kowalski Kumar Larsen Lee Lopez Maas Martin Meijer Mendes Meyer Moreau Mulder
    Nguyen Nielsen Novak Okafor Olsen Patel Peeters Pereira Peters Popov Prins Rossi Roux Santos Sato Schmidt
    Schneider Shah Silva Singh Smit Sorensen Suzuki Tanaka Torres Tran Visser Vos Wagner Wang Weber Willems Wolf
    Yilmaz Young Zhang Zimmer
    """
)

DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "Sales": ("Account manager", "Sales lead", "Sales engineer"),
    "Operations": ("Planner", "Operator", "Shift lead"),
    "Finance": ("Controller", "Accountant", "Payroll officer"),
    "Human Resources": ("Recruiter", "HR adviser"),
    "IT": ("System engineer", "Support engineer"),
    "Marketing": ("Content editor", "Campaign manager"),
    "Research": ("Researcher", "Laboratory technician"),
}

OFFICES = ("Amsterdam", "Berlin", "Lyon", "Oslo", "Porto")
SERVICES = ("scanner", "backup", "crm", "ticketing", "monitoring", "printer", "fax", "invoice", "newsletter", "alarm")
PARTNERS = ("adatum.example", "proseware.example", "litware.example", "wingtip.example")

ROOMS = ("Board room", "Meeting room", "Training room", "Project room", "Quiet room")
DEVICES = ("Teams Rooms", "Reception tablet", "Warehouse scanner", "Common area phone")
MAILBOXES = words("Info Sales Invoices Reception Support Careers Press Orders Returns Privacy Events Facilities")
COMPANY_NAMES = words(
    """
    Alder Amber Anchor Arbor Aspen Birch Bluebell Bright Cedar Clover Cobalt Copper Coral Crane Delta Ember Falcon
    Fern Gable Granite Harbour Hazel Heron Indigo Iris Ivory Juniper Kestrel Lantern Larch Linden Lumen Maple Meadow
    Meridian Mosaic North Oak Olive Onyx Opal Orchard Pebble Pine Quarry Raven River Rowan Saffron Sage Silver Spruce
    Stone Summit Swift Thistle Timber Topaz Valley Willow
    """
)
COMPANY_TRADES = words(
    "Advisory Bakery Chemicals Clinic Construction Design Dairy Engineering Foods Foundry Freight Hotels Instruments "
    "Insurance Interiors Joinery Laboratories Legal Logistics Machinery Media Motors Outdoor Packaging Pharma Plastics "
    "Printing Publishing Retail Robotics School Shipping Solar Sports Textiles Tools Travel Water"
)
COUNTRIES: tuple[tuple[str, str], ...] = (
    ("NL", "EU"),
    ("DE", "EU"),
    ("FR", "EU"),
    ("BE", "EU"),
    ("NO", "EU"),
    ("PT", "EU"),
    ("US", "NA"),
    ("CA", "NA"),
    ("JP", "AS"),
    ("SG", "AS"),
    ("AU", "OC"),
)
"""Country and the region that the metadata of its tenants names."""
