// LemmaSynthesis
