// LemmaCorpus
