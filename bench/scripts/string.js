// Text that grows piece by piece, is split and joined.
(() => {
  let length = 0
  for (let round = 0; round < 20; round++) {
    let text = ''
    for (let i = 0; i < 5000; i++) text += i
    length += text.split('9').join('--').toUpperCase().length
  }
  return length
})()
