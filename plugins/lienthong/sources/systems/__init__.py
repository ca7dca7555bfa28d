"""What a vendor's system adds to the kit: words, fields and habits."""
