// Numbers with a comparator, texts without one.
(() => {
  const numbers = Array.from({ length: 30000 }, (_, i) => (i * 7919) % 100003)
  numbers.sort((a, b) => a - b)
  const texts = Array.from({ length: 20000 }, (_, i) => 'key ' + ((i * 7919) % 100003))
  texts.sort()
  return numbers[1234] + texts[1234].length
})()
