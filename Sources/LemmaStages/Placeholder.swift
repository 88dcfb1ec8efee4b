// LemmaStages
