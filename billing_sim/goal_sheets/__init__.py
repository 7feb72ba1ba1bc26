"""Goals and their SMART sheets, computed: can the promise be told from noise, reached, and judged in time?"""
