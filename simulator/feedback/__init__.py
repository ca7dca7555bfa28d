"""What citizens say: petitions at the national PAKN system and at a city's 1022, and ratings of dossiers."""

from simulator.feedback.book import Feedback, FeedbackChange
from simulator.feedback.defects import NO_FEEDBACK_DEFECTS, PetitionDefect, RatingDefect
from simulator.feedback.ledger import FeedbackEntry, read_feedback_ledger, write_feedback_ledger
from simulator.feedback.petitions import Act, Desk, Petition
from simulator.feedback.ratings import Rating

__all__ = [
    "NO_FEEDBACK_DEFECTS",
    "Act",
    "Desk",
    "Feedback",
    "FeedbackChange",
    "FeedbackEntry",
    "Petition",
    "PetitionDefect",
    "Rating",
    "RatingDefect",
    "read_feedback_ledger",
    "write_feedback_ledger",
]
