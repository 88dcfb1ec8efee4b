// LemmaProvenance
