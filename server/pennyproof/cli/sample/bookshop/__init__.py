"""Stock, prices, orders and receipts of a small bookshop."""
