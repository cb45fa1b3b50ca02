// The incremental constraint solver of Freeman-Benson and Maloney: a hierarchy of constraints over a graph of variables.
(() => {
  const REQUIRED = 0, STRONG_PREFERRED = 1, PREFERRED = 2, STRONG_DEFAULT = 3, NORMAL = 4, WEAK_DEFAULT = 5, WEAKEST = 6
  const isStronger = (a, b) => a < b
  const weaker = (a, b) => Math.max(a, b)

  class Variable {
    constructor(value) {
      this.value = value
      this.constraints = []
      this.determinedBy = null
      this.mark = 0
      this.walkStrength = WEAKEST
      this.stays = true
    }

    removeConstraint(constraint) {
      this.constraints = this.constraints.filter((other) => other !== constraint)
      if (this.determinedBy === constraint) this.determinedBy = null
    }
  }

  class Constraint {
    constructor(strength) {
      this.strength = strength
    }

    isInput() {
      return false
    }

    addTo(planner) {
      this.addToGraph()
      planner.incrementalAdd(this)
      return this
    }

    destroy(planner) {
      if (this.isSatisfied()) planner.incrementalRemove(this)
      this.removeFromGraph()
    }

    // Finds a way to be enforced; the constraint that it displaces, if any.
    satisfy(mark, planner) {
      this.chooseMethod(mark)
      if (!this.isSatisfied()) {
        if (this.strength === REQUIRED) throw new Error('a required constraint cannot be satisfied')
        return null
      }
      this.markInputs(mark)
      const out = this.output()
      const overridden = out.determinedBy
      if (overridden !== null) overridden.markUnsatisfied()
      out.determinedBy = this
      if (!planner.addPropagate(this, mark)) throw new Error('a cycle')
      out.mark = mark
      return overridden
    }
  }

  class Unary extends Constraint {
    constructor(variable, strength) {
      super(strength)
      this.out = variable
      this.satisfied = false
    }

    addToGraph() {
      this.out.constraints.push(this)
      this.satisfied = false
    }

    removeFromGraph() {
      this.out.removeConstraint(this)
      this.satisfied = false
    }

    chooseMethod(mark) {
      this.satisfied = this.out.mark !== mark && isStronger(this.strength, this.out.walkStrength)
    }

    isSatisfied() {
      return this.satisfied
    }

    markUnsatisfied() {
      this.satisfied = false
    }

    markInputs() {}

    inputsKnown() {
      return true
    }

    output() {
      return this.out
    }

    recalculate() {
      this.out.walkStrength = this.strength
      this.out.stays = !this.isInput()
      if (this.out.stays) this.execute()
    }

    execute() {}
  }

  class Stay extends Unary {}

  class Edit extends Unary {
    isInput() {
      return true
    }
  }

  const NONE = 0, FORWARD = 1, BACKWARD = -1

  class Binary extends Constraint {
    constructor(first, second, strength) {
      super(strength)
      this.first = first
      this.second = second
      this.direction = NONE
    }

    addToGraph() {
      this.first.constraints.push(this)
      this.second.constraints.push(this)
      this.direction = NONE
    }

    removeFromGraph() {
      this.first.removeConstraint(this)
      this.second.removeConstraint(this)
      this.direction = NONE
    }

    chooseMethod(mark) {
      const { first, second, strength } = this
      const reaches = (variable) => isStronger(strength, variable.walkStrength)
      this.direction = NONE
      if (first.mark === mark) {
        if (second.mark !== mark && reaches(second)) this.direction = FORWARD
      } else if (second.mark === mark) {
        if (reaches(first)) this.direction = BACKWARD
      } else if (isStronger(second.walkStrength, first.walkStrength)) {
        if (reaches(first)) this.direction = BACKWARD
      } else if (reaches(second)) {
        this.direction = FORWARD
      }
    }

    isSatisfied() {
      return this.direction !== NONE
    }

    markUnsatisfied() {
      this.direction = NONE
    }

    input() {
      return this.direction === FORWARD ? this.first : this.second
    }

    output() {
      return this.direction === FORWARD ? this.second : this.first
    }

    markInputs(mark) {
      this.input().mark = mark
    }

    inputsKnown(mark) {
      const input = this.input()
      return input.mark === mark || input.stays || input.determinedBy === null
    }

    recalculate() {
      const input = this.input(), out = this.output()
      out.walkStrength = weaker(this.strength, input.walkStrength)
      out.stays = input.stays
      if (out.stays) this.execute()
    }
  }

  class Equality extends Binary {
    execute() {
      this.output().value = this.input().value
    }
  }

  // second = first * scale + offset
  class Scale extends Binary {
    constructor(first, scale, offset, second, strength) {
      super(first, second, strength)
      this.scale = scale
      this.offset = offset
    }

    addToGraph() {
      super.addToGraph()
      this.scale.constraints.push(this)
      this.offset.constraints.push(this)
    }

    removeFromGraph() {
      super.removeFromGraph()
      this.scale.removeConstraint(this)
      this.offset.removeConstraint(this)
    }

    markInputs(mark) {
      super.markInputs(mark)
      this.scale.mark = this.offset.mark = mark
    }

    execute() {
      if (this.direction === FORWARD) this.second.value = this.first.value * this.scale.value + this.offset.value
      else this.first.value = (this.second.value - this.offset.value) / this.scale.value
    }

    recalculate() {
      const input = this.input(), out = this.output()
      out.walkStrength = weaker(this.strength, input.walkStrength)
      out.stays = input.stays && this.scale.stays && this.offset.stays
      if (out.stays) this.execute()
    }
  }

  class Planner {
    mark = 0

    incrementalAdd(constraint) {
      const mark = ++this.mark
      for (let overridden = constraint; overridden !== null;) overridden = overridden.satisfy(mark, this)
    }

    incrementalRemove(constraint) {
      const out = constraint.output()
      constraint.markUnsatisfied()
      constraint.removeFromGraph()
      const unsatisfied = this.removePropagate(out)
      for (let strength = REQUIRED; strength <= WEAKEST; strength++) {
        for (const other of unsatisfied) if (other.strength === strength) this.incrementalAdd(other)
      }
    }

    // The constraints in an order in which they can be executed.
    plan(sources) {
      const mark = ++this.mark, plan = [], todo = sources.slice()
      while (todo.length > 0) {
        const constraint = todo.pop()
        const out = constraint.output()
        if (out.mark !== mark && constraint.inputsKnown(mark)) {
          plan.push(constraint)
          out.mark = mark
          this.addConsuming(out, todo)
        }
      }
      return plan
    }

    planFrom(constraints) {
      return this.plan(constraints.filter((constraint) => constraint.isInput() && constraint.isSatisfied()))
    }

    addPropagate(constraint, mark) {
      const todo = [constraint]
      while (todo.length > 0) {
        const next = todo.pop()
        if (next.output().mark === mark) {
          this.incrementalRemove(constraint)
          return false
        }
        next.recalculate()
        this.addConsuming(next.output(), todo)
      }
      return true
    }

    removePropagate(out) {
      out.determinedBy = null
      out.walkStrength = WEAKEST
      out.stays = true
      const unsatisfied = [], todo = [out]
      while (todo.length > 0) {
        const variable = todo.pop()
        for (const constraint of variable.constraints) if (!constraint.isSatisfied()) unsatisfied.push(constraint)
        const consuming = []
        this.addConsuming(variable, consuming)
        for (const next of consuming) {
          next.recalculate()
          todo.push(next.output())
        }
      }
      return unsatisfied
    }

    addConsuming(variable, list) {
      for (const constraint of variable.constraints) {
        if (constraint !== variable.determinedBy && constraint.isSatisfied()) list.push(constraint)
      }
    }
  }

  const expect = (value, expected) => {
    if (value !== expected) throw new Error(`${value} instead of ${expected}`)
  }

  const change = (planner, variable, value) => {
    const edit = new Edit(variable, PREFERRED).addTo(planner)
    const plan = planner.planFrom([edit])
    for (let i = 0; i < 10; i++) {
      variable.value = value
      for (const constraint of plan) constraint.execute()
    }
    edit.destroy(planner)
  }

  // A long chain of equalities: what is set at one end arrives at the other.
  const chain = (count) => {
    const planner = new Planner()
    const variables = Array.from({ length: count + 1 }, () => new Variable(0))
    for (let i = 0; i < count; i++) new Equality(variables[i], variables[i + 1], REQUIRED).addTo(planner)
    new Stay(variables[count], STRONG_DEFAULT).addTo(planner)
    const edit = new Edit(variables[0], PREFERRED).addTo(planner)
    const plan = planner.planFrom([edit])
    for (let value = 0; value < 100; value++) {
      variables[0].value = value
      for (const constraint of plan) constraint.execute()
      expect(variables[count].value, value)
    }
    edit.destroy(planner)
    return plan.length
  }

  // Many pairs that are tied by one scale and one offset, changed from every side.
  const projection = (count) => {
    const planner = new Planner()
    const scale = new Variable(10), offset = new Variable(1000), firsts = [], seconds = []
    for (let i = 0; i < count; i++) {
      firsts.push(new Variable(i))
      seconds.push(new Variable(i))
      new Stay(firsts[i], NORMAL).addTo(planner)
      new Scale(firsts[i], scale, offset, seconds[i], REQUIRED).addTo(planner)
    }
    change(planner, firsts[count - 1], 17)
    expect(seconds[count - 1].value, 1170)
    change(planner, seconds[count - 1], 1050)
    expect(firsts[count - 1].value, 5)
    change(planner, scale, 5)
    for (let i = 0; i < count - 1; i++) expect(seconds[i].value, i * 5 + 1000)
    change(planner, offset, 2000)
    for (let i = 0; i < count - 1; i++) expect(seconds[i].value, i * 5 + 2000)
    return seconds.reduce((sum, variable) => sum + variable.value, 0)
  }

  return chain(200) + projection(200)
})()
