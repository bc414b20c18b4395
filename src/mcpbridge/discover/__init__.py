"""Finding tools by what they do, so that a model need not be given all of them."""
