"""Makes the captures of the corpus: scripts become SIPp scenarios, phones are driven, dumpcap listens."""
