package integers

func init() { benchNumbers = 2000 }
